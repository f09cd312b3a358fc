"""One secret goes every way that secrets go, and is then looked for everywhere it must not be."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.ocm import CLUSTERS, WORKS
from oneco.kinds.release import OBSERVATIONS, RELEASES, UNITS
from oneco.kube.refs import Address, Resource
from tests.agents.processes import Person, until
from tests.embedded.servers import a_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PLANTED = "pl4nted-hunter2-xyzzy"
RUN = """
import logging, sys
from oneco.cli import main
logging.basicConfig(level=1)
sys.exit(main())
"""
LOUD = {"ONECO_DEBUG": "1", "PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1"}
EVENTS = Resource("", "v1", "events")


def in_base64(text: str) -> set[bytes]:
    """The part of its base64 that does not depend on what stands beside it, at each offset."""
    found = set()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text.encode())
        found.add(encoded[(before * 8 + 5) // 6 : len(text) * 8 // 6])
    return found


FORMS = {PLANTED.encode(), *in_base64(PLANTED)}


def shows_it(content: bytes) -> bool:
    return any(form in content for form in FORMS)


def test_the_planted_secret_would_be_found_in_each_of_its_forms():
    for text in (PLANTED, f"a{PLANTED}", f"token: {PLANTED}\n", f'"{PLANTED}"'):
        assert shows_it(text.encode())
        assert shows_it(base64.b64encode(text.encode()))
    assert not shows_it(b"pl4nted-hunter3" + base64.b64encode(b"pl4nted-hunter3-xyzzy"))


class Place:
    """Where processes run, and everything that they said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: dict[str, bytes] = {}
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *words: str | Path) -> None:
        """Start `oneco` with these words and go on."""
        with open(self.folder / f"{name}.log", "ab") as log:
            command = [sys.executable, "-c", RUN, *map(str, words)]
            self.running[name] = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=os.environ | LOUD
            )

    def type(self, *words: str | Path, given: str = "") -> subprocess.CompletedProcess[bytes]:
        """`oneco --data hub` and these words, as a person at the hub types them."""
        line = [sys.executable, "-c", RUN, "--data", str(self.folder / "hub"), *map(str, words)]
        done = subprocess.run(
            line, capture_output=True, input=given.encode(), timeout=60, env=os.environ | LOUD
        )
        self.said[f"{len(self.said)} {' '.join(map(str, words))}"] = done.stdout + done.stderr
        return done

    def write(self, name: str, *documents: Any) -> Path:
        """A file of YAML."""
        path = self.folder / "files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump_all(documents))
        return path


@pytest.fixture
def place(tmp_path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    for process in found.running.values():
        process.kill()
        process.wait(10)


def a_secret(name: str = "login", **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, **more}


def an_application(name: str, *things: dict[str, Any]) -> dict[str, Any]:
    """A web service with a secret in its environment, and other objects beside it."""
    web = {
        "name": f"{name}-web", "type": "webservice",
        "properties": {"image": "nginx", "env": [{"name": "PASSWORD", "value": PLANTED}]},
    }  # fmt: skip
    others = {"name": f"{name}-more", "type": "k8s-objects", "properties": {"objects": [*things]}}
    policy = {"name": "here", "type": "topology", "properties": {"clusters": ["c1"]}}
    return {
        "apiVersion": "core.oam.dev/v1beta1", "kind": "Application", "metadata": {"name": name},
        "spec": {"components": [web, others], "policies": [policy]},
    }  # fmt: skip


THING = {
    "apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "thing"},
    "spec": {"env": [{"name": "PASSWORD", "value": PLANTED}]},
}  # fmt: skip


def a_picky_definition() -> dict[str, Any]:
    """A kind whose server quotes the value that it refuses."""
    value = {"type": "string", "pattern": "^[0-9]+$"}
    variable = {"type": "object", "properties": {"name": {"type": "string"}, "value": value}}
    spec = {"type": "object", "properties": {"env": {"type": "array", "items": variable}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }  # fmt: skip


def test_a_planted_secret_is_found_nowhere(place):
    folder = place.folder
    with a_server(folder / "member") as member:
        person = Person(member.kubeconfig_path)
        crd = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
        person.apply(Address(crd, "", "things.example.com"), a_picky_definition())
        hub = started_hub(place)
        started_agent(place, member.kubeconfig_path)
        deliver(place, hub, person)
        mistype(place)
        go_wrong_ways(place)
        seen = processes_of(place)
        told = everything_told(hub)
        end(place)
    every = {**place.said, **seen, **told}
    leaks = {name: content.decode() for name, content in every.items() if shows_it(content)}
    assert not leaks, "\n".join(f"---- {name}\n{content}" for name, content in leaks.items())
    kept = [one for one in folder.rglob("*") if one.is_file() and "files" not in one.parts]
    assert {"objects.db", "intent", "journal.jsonl", "copy", "hub.log", "agent.log"} <= {
        one.name for one in kept
    }
    assert [str(one) for one in kept if shows_it(one.read_bytes())] == []


def started_hub(place: Place) -> Person:
    place.start("hub", "--data", place.folder / "hub", "up")
    kubeconfig = place.folder / "hub" / "kubeconfig"
    log = place.folder / "hub.log"
    until(lambda: kubeconfig.exists() and b"The hub is up" in log.read_bytes(), "no hub", 60)
    return Person(kubeconfig)


def started_agent(place: Place, member: Path) -> None:
    invitation = place.folder / "files" / "invitation"
    invitation.parent.mkdir(exist_ok=True)
    assert place.type("clusters", "join", "c1", "--to", invitation).returncode == 0
    data = place.folder / "agent"
    place.start("agent", "agent", "--data", data, "--kubeconfig", member, "--join", invitation)
    log = place.folder / "agent.log"
    until(lambda: b"agent of cluster c1" in log.read_bytes(), "no agent", 60)


def deliver(place: Place, hub: Person, member: Person) -> None:
    """What is right arrives; what the member refuses is told of, without the secret."""
    secrets = (a_secret(stringData={"p": PLANTED}), a_secret("again", data={"p": in_data()}))
    right = place.write("right.yaml", an_application("right", *secrets))
    assert place.type("apply", "-f", right).returncode == 0
    login = Address(Resource("", "v1", "secrets"), "default", "login")
    found = until(lambda: member.get(login), "no secret in the member", 60)
    assert found["data"]["p"] == in_data()
    wrong = place.write("wrong.yaml", an_application("wrong", THING, *secrets))
    assert place.type("apply", "-f", wrong).returncode == 0

    def is_refused() -> bool:
        rows = hub.ask(lambda api: api.list(Address(OBSERVATIONS))).items
        return "Thing" in json.dumps(rows) and "***" in json.dumps(rows)

    until(is_refused, "the member's refusal was not told", 60)
    own = place.write("own.yaml", a_secret("own", stringData={"p": PLANTED}, type="one"))
    assert place.type("apply", "-f", own).returncode == 0
    for words in (("status", "right"), ("status", "wrong"), ("release", "list")):
        place.type(*words)
        place.type(*words, "-o", "json")
    place.type("clusters", "show", "c1")


def in_data() -> str:
    return base64.b64encode(PLANTED.encode()).decode()


def mistype(place: Place) -> None:
    """Files with a mistake beside, around and in the secret."""
    changed = a_secret("own", stringData={"p": f"{PLANTED}-2", "q": PLANTED}, type="one")
    bad_env = an_application("typed")
    bad_env["spec"]["components"][0]["properties"]["env"][0]["value"] = [PLANTED]
    files = [
        place.write("changed.yaml", changed),
        place.write("immutable.yaml", a_secret("own", stringData={"p": PLANTED}, type="other")),
        place.write("plain.yaml", a_secret("plain", data={"p": f"{PLANTED}!"})),
        place.write("text.yaml", a_secret("text", stringData=PLANTED)),
        place.write("deep.yaml", a_secret("deep", stringData={"p": {"q": PLANTED}})),
        place.write("env.yaml", bad_env),
    ]
    torn = place.folder / "files" / "torn.yaml"
    torn.write_text(f"kind: Secret\nstringData:\n  p: {PLANTED}: x\n\tq: [{PLANTED}\n")
    quoted = place.folder / "files" / "quoted.json"
    quoted.write_text(f'{{"kind": "Secret", "stringData": {{"p": "{PLANTED}" "q"}}}}')
    for file in (*files, torn, quoted):
        place.type("diff", "-f", file)
        place.type("apply", "-f", file, "-o", "json")
    place.type("render", "-f", files[-1])
    assert b"+ data.q: ***" in next(said for name, said in place.said.items() if "diff" in name)


def go_wrong_ways(place: Place) -> None:
    """Kubeconfigs that lead nowhere, plugins that fail, copies without a key."""
    user = {"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "false", "args": [],
        "env": [{"name": "PASSWORD", "value": PLANTED}], "interactiveMode": "Never",
    }}  # fmt: skip
    for name, how in (
        ("plugin", user),
        ("token", {"token": PLANTED}),
        ("basic", {"password": PLANTED}),
    ):
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:9"}}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "users": [{"name": "x", "user": how}],
        }  # fmt: skip
        file = place.write(f"{name}.kubeconfig", config)
        place.type("--kubeconfig", file, "release", "list")
        place.type("clusters", "add", f"c-{name}", "--member", file)
    place.type("backup", place.folder / "copy")
    place.type("keys", "export", place.folder / "files" / "keys")
    place.type("keys", "change")
    place.type("doctor")
    place.type("--data", place.folder / "new", "up", "--from", place.folder / "copy")


def processes_of(place: Place) -> dict[str, bytes]:
    """How the process list shows them."""
    found = {}
    for name, process in place.running.items():
        assert process.poll() is None, (place.folder / f"{name}.log").read_text()
        for file in ("cmdline", "environ"):
            found[f"{file} of {name}"] = Path(f"/proc/{process.pid}/{file}").read_bytes()
    return found


def everything_told(hub: Person) -> dict[str, bytes]:
    """What the hub tells those who watch it: statuses, events, and what describes releases."""
    found = {}
    for resource in (APPLICATIONS, WORKS):
        rows = listed(hub, resource)
        found[f"status of {resource.plural}"] = json.dumps(
            [one.get("status") for one in rows]
        ).encode()
        assert rows
    for resource in (RELEASES, UNITS, OBSERVATIONS, CLUSTERS, EVENTS):
        rows = listed(hub, resource)
        found[resource.plural] = json.dumps(rows).encode()
    return found


def listed(hub: Person, resource: Resource) -> list[Any]:
    """Every object of a collection."""
    return list(hub.ask(lambda api: api.list(Address(resource))).items)


def end(place: Place) -> None:
    """A kill and a good end."""
    place.running["agent"].kill()
    place.running["hub"].terminate()
    place.running["hub"].wait(20)
