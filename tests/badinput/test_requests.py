"""Wrong command lines, wrong kubeconfigs and servers that do not answer: one sentence, no trace."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from oneco.cli.program import oneco
from tests.cli.given import Answer, quiet_hub

GOOD = (
    "apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: shop}\nspec:\n"
    "  components: [{name: web, type: webservice, properties: {image: nginx}}]\n"
)


def kubeconfig(server: str = "https://127.0.0.1:1", user: str = "token: abc") -> str:
    return (
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
        f"clusters: [{{name: k, cluster: {{server: '{server}'}}}}]\n"
        f"users: [{{name: u, user: {{{user}}}}}]\n"
    )


def typed(*words: str | Path) -> Answer:
    """Type a command line that goes wherever its options lead."""
    done = CliRunner().invoke(oneco, [str(word) for word in words])
    return Answer(done.exit_code, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("aply",), ('no command "aply"', 'did you mean "apply"?')),
        (("frobnicate",), ('no command "frobnicate"', "there are up, apply")),
        (("release", "pouse", "shop"), ('no command "pouse"', 'did you mean "pause"?')),
        (("help", "statsu"), ('no command "statsu"', 'did you mean "status"?')),
        (("help", "status", "more"), ('no command "more"',)),
        (("apply",), ("-f", "oneco apply --help")),
        (("apply", "-f"), ("-f",)),
        (("apply", "--fil", "x"), ("--fil", "oneco apply --help")),
        (("status",), ("NAME",)),
        (("status", "a", "b"), ("b",)),
        (("status", "shop", "-o", "xml"), ("xml", "json")),
        (("status", "shop", "--watch=yes"), ("--watch",)),
        (("release", "pause"), ("NAME",)),
        (("clusters", "confirm"), ("found", "neither", "--all")),
        (("clusters", "confirm", "a", "--all"), ("found", "both")),
        (("clusters", "accept"), ("NAMES",)),
        (("up", "--listen", "here"), ("--listen", 'found "here"', "HOST:PORT")),
        (("up", "--listen", "1.2.3.4:99999"), ("--listen", "99999", "HOST:PORT")),
        (("up", "--speed", "-1"), ("--speed", 'found "-1"', "above 0")),
        (("up", "--speed", "fast"), ("--speed", "fast")),
        (("rehearse", "-f", "nowhere"), ("nowhere", "found", "that exists")),
        (("rehearse", "-f", "x", "--seed", "many"), ("--seed", "many")),
        (("completion", "tcsh"), ("tcsh", "bash")),
        (("--context",), ("--context",)),
    ],
)
def test_a_wrong_command_line_is_answered_by_one_sentence(words, parts):
    answer = quiet_hub().type(*words)
    assert answer.status == 1
    assert answer.out == ""
    assert answer.err.count("\n") == 1, answer.err
    assert all(part in answer.err for part in parts), answer.err


def test_a_missing_file_is_named(tmp_path: Path):
    answer = quiet_hub().type("apply", "-f", tmp_path / "nothing.yaml")
    assert answer.status == 1
    assert 'nothing.yaml: found "nothing", wanted a file or a directory that exists' in answer.err


def test_a_directory_without_yaml_is_named(tmp_path: Path):
    (tmp_path / "README").write_text("hello")
    answer = quiet_hub().type("apply", "-f", tmp_path)
    assert answer.status == 1
    assert 'found "no such file in it", wanted .yaml, .yml or .json files' in answer.err


def test_what_cannot_be_read_is_named(tmp_path: Path):
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    answer = quiet_hub().type("apply", "-f", tmp_path / "loop.yaml")
    assert answer.status == 1
    assert "loop.yaml" in answer.err


def test_nothing_on_standard_input_is_no_object():
    answer = quiet_hub().type("apply", "-f", "-", given="")
    assert answer.status == 1
    assert 'found "no objects"' in answer.err


def test_an_application_that_is_not_there_is_answered_with_those_that_are():
    hub = quiet_hub()
    assert hub.type("status", "nowhere").status == 1
    assert 'found "nowhere"' in hub.type("status", "nowhere").err
    assert 'found "nowhere"' in hub.type("release", "pause", "nowhere").err
    assert 'found "nowhere"' in hub.type("clusters", "accept", "nowhere").err


def test_pruning_needs_a_directory(tmp_path: Path):
    file = tmp_path / "good.yaml"
    file.write_text(GOOD)
    answer = quiet_hub().type("apply", "--prune", "-f", file)
    assert answer.status == 1
    assert "wanted one directory" in answer.err


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("current-context: [", ("broken YAML", "kubeconfig")),
        ("hello", ("one mapping with clusters",)),
        ("{}", ("current-context", 'found "nothing"')),
        (kubeconfig().replace("current-context: c", "current-context: d"), ('found "d"', '"c"')),
        (kubeconfig().replace("cluster: k,", "cluster: other,"), ('found "other"', '"k"')),
        (kubeconfig(server="127.0.0.1:6443"), ("server", "https://host:6443")),
        (kubeconfig(user="username: a, password: b"), ("no longer take passwords",)),
        (kubeconfig(user="tokenFile: gone"), ("gone",)),
        (kubeconfig(user="client-certificate: a.pem"), ("client-key",)),
        (kubeconfig(user="client-certificate-data: '%%%', client-key-data: aGk="), ("client",)),
        (kubeconfig(user="exec: {apiVersion: v9, command: x}"), ('found "v9"', "v1beta1")),
    ],
)
def test_a_wrong_kubeconfig_is_answered_with_its_place(content: str, parts, tmp_path: Path):
    file = tmp_path / "kubeconfig"
    file.write_text(content)
    answer = typed("--kubeconfig", file, "clusters")
    assert answer.status in (1, 2)
    assert answer.err.count("\n") == 1, answer.err
    assert "Traceback" not in answer.err
    assert all(part in answer.err for part in parts), answer.err


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path):
    answer = typed("--kubeconfig", tmp_path / "none", "clusters")
    assert answer.status == 1
    assert "wanted a file that exists" in answer.err


def test_a_data_directory_of_no_hub_is_named(tmp_path: Path):
    answer = typed("--data", tmp_path, "status", "shop")
    assert answer.status == 1
    assert "`oneco up --data` makes one" in answer.err


def test_a_context_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path):
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig())
    answer = typed("--kubeconfig", file, "--context", "prod", "clusters")
    assert answer.status == 1
    assert 'found "prod", wanted one of "c"' in answer.err


def test_a_server_that_does_not_answer_is_the_worlds_fault(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig(server=f"https://127.0.0.1:{port}"))
    (tmp_path / "good.yaml").write_text(GOOD)
    answer = typed("--kubeconfig", file, "apply", "-f", tmp_path / "good.yaml", "-o", "json")
    assert answer.status == 2
    assert f"https://127.0.0.1:{port}: connection refused" in answer.err
    assert "is its hub running?" in answer.err
    assert answer.document["error"]["message"] in answer.err


def test_a_server_without_our_kinds_is_told_apart_from_an_empty_one():
    from tests.cli.given import Hub

    answer = Hub(has_our_kinds=False).type("clusters")
    assert answer.status == 1
    assert "the server has no managedclusters" in answer.err
    assert "`oneco up` starts a hub" in answer.err


def test_a_kind_that_the_server_lacks_is_refused_before_anything_changes(tmp_path: Path):
    hub = quiet_hub()
    before = hub.version()
    file = tmp_path / "two.yaml"
    strange = "apiVersion: strange.example/v1\nkind: Thing\nmetadata: {name: x}\n"
    file.write_text(f"{GOOD}---\n{strange}")
    answer = hub.type("apply", "-f", file)
    assert answer.status == 1
    assert 'two.yaml:8: kind: found "Thing of strange.example/v1"' in answer.err
    assert hub.version() == before


def test_a_namespace_that_contradicts_the_command_line_is_refused(tmp_path: Path):
    file = tmp_path / "good.yaml"
    file.write_text(GOOD.replace("{name: shop}", "{name: shop, namespace: b}"))
    answer = quiet_hub().type("apply", "-n", "a", "-f", file)
    assert answer.status == 1
    assert 'metadata.namespace: found "b", wanted "a", as --namespace says' in answer.err


def test_a_namespace_that_is_not_there_is_said_with_the_file(tmp_path: Path):
    hub = quiet_hub()
    before = hub.version()
    file = tmp_path / "good.yaml"
    file.write_text(GOOD)
    answer = hub.type("apply", "-n", "missing", "-f", file)
    assert answer.status == 1
    assert "good.yaml:1" in answer.err
    assert "missing" in answer.err
    assert hub.version() == before


def test_an_agent_does_not_write_into_a_hubs_directory(tmp_path: Path):
    (tmp_path / "objects.db").touch()
    answer = typed("agent", "--data", tmp_path)
    assert answer.status == 1
    assert "a directory of the agent's own; this one is a hub's" in answer.err
