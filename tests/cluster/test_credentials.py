"""Tokens, token files, credential programs: what is sent, when it is renewed, what is said."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from oneco.clock import Instant
from oneco.kube import times
from oneco.kube.errors import Unauthorized
from oneco.kube.refs import Address, Resource
from oneco.worlds.cluster.client import ClusterApi
from oneco.worlds.cluster.target import Cluster, ExecPlugin, Material, Target, User
from tests.cluster.servers import Authority, client_of, failing, serving

PODS = Address(Resource("", "v1", "pods"), "default", "web")
V1 = "client.authentication.k8s.io/v1"
V1BETA1 = "client.authentication.k8s.io/v1beta1"


class Door:
    """A server that lets in who shows one of the good tokens, and notes what was shown."""

    def __init__(self, *good: str) -> None:
        self.good = set(good)
        self.shown: list[str] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        shown = request.headers.get("Authorization", "nothing").removeprefix("Bearer ")
        self.shown.append(shown)
        if shown not in self.good:
            return failing(401, "Unauthorized", "Unauthorized")
        return web.json_response({"kind": "Pod"})


def a_plugin(folder: Path, script: str, **fields) -> ExecPlugin:
    """A credential program in Python; `count` is how often it ran, this time included."""
    program = folder / "login.py"
    program.write_text(
        "import json, os, pathlib, sys\n"
        "counter = pathlib.Path(sys.argv[1])\n"
        "count = int(counter.read_text()) + 1 if counter.exists() else 1\n"
        "counter.write_text(str(count))\n"
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "def answer(**status):\n"
        "    print(json.dumps({'kind': 'ExecCredential', 'apiVersion': info['apiVersion'],"
        " 'status': status}))\n" + script
    )
    known: dict[str, Any] = {
        "where": "users[me].user.exec",
        "command": sys.executable,
        "api_version": V1,
    }
    known["arguments"] = ("-I", "-S", str(program), str(folder / "count"))
    return ExecPlugin(**(known | fields))


def runs(folder: Path) -> int:
    return int((folder / "count").read_text())


def get_as(user: User, door, times_over: int = 1) -> None:
    async def run() -> None:
        async with client_of(door, user=user) as api:
            for _ in range(times_over):
                await api.get(PODS)

    asyncio.run(run())


def test_a_token_is_sent_as_bearer():
    door = Door("good")
    get_as(User(token="good"), door)
    assert door.shown == ["good"]


def test_a_refused_token_is_not_tried_twice():
    door = Door("good")
    with pytest.raises(Unauthorized):
        get_as(User(token="bad"), door)
    assert door.shown == ["bad"]


def test_a_token_file_is_read_again_when_it_changed(tmp_path):
    door, file = Door("one", "two"), tmp_path / "token"
    file.write_text("one\n")

    async def run() -> None:
        async with client_of(door, user=User(token_file=str(file))) as api:
            await api.get(PODS)
            (tmp_path / "new").write_text("two\n")
            (tmp_path / "new").rename(file)
            await api.get(PODS)

    asyncio.run(run())
    assert door.shown == ["one", "two"]


def test_a_token_file_that_is_gone_for_a_moment_changes_nothing(tmp_path):
    door, file = Door("one"), tmp_path / "token"
    file.write_text("one")

    async def run() -> None:
        async with client_of(door, user=User(token_file=str(file))) as api:
            await api.get(PODS)
            file.unlink()
            await api.get(PODS)

    asyncio.run(run())
    assert door.shown == ["one", "one"]


def test_a_token_file_that_was_never_there_is_named(tmp_path):
    user = User(where="users[me].user", token_file=str(tmp_path / "token"))
    with pytest.raises(Unauthorized, match=r"users\[me\].user: token file .*: No such file"):
        get_as(user, Door())


@pytest.mark.parametrize("version", [V1, V1BETA1])
def test_a_program_is_asked_once_and_its_token_kept(tmp_path, version):
    door = Door("t1")
    plugin = a_plugin(tmp_path, "answer(token=f't{count}')", api_version=version)
    get_as(User(exec_plugin=plugin), door, times_over=3)
    assert (door.shown, runs(tmp_path)) == (["t1", "t1", "t1"], 1)


def test_a_program_is_asked_again_when_its_token_has_run_out(tmp_path):
    door = Door("t1", "t2", "t3")
    soon = times.to_text(Instant(time.time() + 2))
    script = f"answer(token=f't{{count}}', expirationTimestamp='{soon}')"
    get_as(User(exec_plugin=a_plugin(tmp_path, script)), door, times_over=2)
    assert door.shown == ["t1", "t2"]


def test_a_program_is_asked_again_when_the_server_refuses_its_token(tmp_path):
    door = Door("t2")
    get_as(User(exec_plugin=a_plugin(tmp_path, "answer(token=f't{count}')")), door)
    assert door.shown == ["t1", "t2"]


def test_many_refusals_at_once_ask_the_program_once(tmp_path):
    door = Door("t2")
    user = User(exec_plugin=a_plugin(tmp_path, "answer(token=f't{count}')"))

    async def run() -> None:
        async with client_of(door, user=user) as api:
            await asyncio.gather(*(api.get(PODS) for _ in range(10)))

    asyncio.run(run())
    assert runs(tmp_path) == 2


def test_a_program_gets_its_environment_and_is_told_the_cluster(tmp_path):
    script = (
        "spec = info['spec']\n"
        "(counter.parent / 'seen').write_text(json.dumps([os.environ['REGION'], spec]))\n"
        "answer(token='t')"
    )
    plugin = a_plugin(tmp_path, script, environment=(("REGION", "eu"),), provide_cluster_info=True)
    get_as(User(exec_plugin=plugin), Door("t"))
    region, spec = json.loads((tmp_path / "seen").read_text())
    assert (region, spec["interactive"]) == ("eu", False)
    assert spec["cluster"]["server"].startswith("http://127.0.0.1:")


def test_a_certificate_from_a_program_is_shown_to_the_server(tmp_path):
    authority = Authority()
    pair = authority.issue("alice")
    context = authority.server_context(tmp_path, authority.issue("server"), ask=True)
    (tmp_path / "pair").write_text(json.dumps([text.decode() for text in pair]))
    script = (
        "certificate, key = json.loads((counter.parent / 'pair').read_text())\n"
        "answer(clientCertificateData=certificate, clientKeyData=key)"
    )
    user = User(exec_plugin=a_plugin(tmp_path, script))
    shown = []

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        shown.append(request.transport.get_extra_info("peercert")["subject"])
        return web.json_response({})

    async def run() -> None:
        async with serving(handler, context) as server:
            cluster = Cluster(server=server, authority=Material(data=authority.certificate))
            async with ClusterApi(Target(cluster=cluster, user=user)) as api:
                await api.get(PODS)

    asyncio.run(run())
    assert shown == [((("commonName", "alice"),),)]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("sys.exit(3)", "ended with status 3"),
        ("print('secret-text')", "printed something that is not an ExecCredential"),
        ("answer()", "printed neither a token nor a client certificate"),
        ("answer(clientKeyData='secret-text')", "a key without one"),
        ("info['apiVersion'] = 'v9'; answer(token='secret-text')", f"no ExecCredential of {V1}"),
        (
            "answer(token='secret-text', expirationTimestamp='later')",
            "an expirationTimestamp that is no time",
        ),
    ],
)
def test_a_program_that_fails_is_named_without_what_it_printed(tmp_path, script, said):
    with pytest.raises(Unauthorized) as caught:
        get_as(User(exec_plugin=a_plugin(tmp_path, script)), Door())
    assert said in caught.value.message
    assert caught.value.message.startswith("users[me].user.exec: the credential program")
    assert "secret-text" not in caught.value.message


def test_a_program_that_is_missing_is_answered_with_its_own_hint(tmp_path):
    plugin = a_plugin(tmp_path, "", command="/nowhere/login", install_hint="get it at the desk")
    with pytest.raises(Unauthorized, match=r"cannot be started: No such file(.|\n)*at the desk"):
        get_as(User(exec_plugin=plugin), Door())


def test_a_program_that_needs_a_person_is_refused_without_one(tmp_path):
    plugin = a_plugin(tmp_path, "answer(token='t')", interactive_mode="Always")
    with pytest.raises(Unauthorized, match="asks for a person"):
        get_as(User(exec_plugin=plugin), Door("t"))
