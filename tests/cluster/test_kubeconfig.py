"""Which server and which user a kubeconfig leads to, and what is refused."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml

from oneco.errors import Refused
from oneco.worlds.cluster import kubeconfig
from oneco.worlds.cluster.target import Material, Target

SECRET = "s3cr3t-that-nobody-may-see"


def a_config(*, cluster=None, user=None, name="prod", **top):
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [
            {"name": name, "context": {"cluster": name, "user": name, "namespace": "shop"}}
        ],
        "clusters": [{"name": name, "cluster": cluster or {"server": f"https://{name}:6443"}}],
        "users": [{"name": name, "user": user or {"token": f"{name}-token"}}],
    } | top


def write(path: Path, document) -> str:
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return str(path)


def load_one(tmp_path: Path, document, context=None) -> Target:
    return kubeconfig.load(write(tmp_path / "config", document), context)


def refusal(tmp_path: Path, document, context=None) -> str:
    with pytest.raises(Refused) as caught:
        load_one(tmp_path, document, context)
    return str(caught.value).replace(str(tmp_path), "DIR")


def test_the_current_context_names_cluster_user_and_namespace(tmp_path):
    target = load_one(tmp_path, a_config())
    assert (target.context, target.namespace) == ("prod", "shop")
    assert (target.cluster.server, target.user.token) == ("https://prod:6443", "prod-token")


def test_of_several_files_the_first_that_names_a_thing_decides(tmp_path):
    first = write(tmp_path / "a", a_config(name="prod"))
    second = a_config(cluster={"server": "https://other:6443"}) | {"current-context": "test"}
    second["clusters"].append({"name": "test", "cluster": {"server": "https://test:6443"}})
    second["contexts"].append({"name": "test", "context": {"cluster": "test", "user": "prod"}})
    environment = {"KUBECONFIG": f"{first}::{tmp_path}/missing:{write(tmp_path / 'b', second)}"}
    assert kubeconfig.load(environment=environment).cluster.server == "https://prod:6443"
    target = kubeconfig.load(context="test", environment=environment)
    assert (target.cluster.server, target.user.token) == ("https://test:6443", "prod-token")


def test_without_any_list_the_file_in_the_home_folder_is_read(tmp_path):
    (tmp_path / ".kube").mkdir()
    write(tmp_path / ".kube" / "config", a_config())
    assert kubeconfig.load(environment={"HOME": str(tmp_path)}).context == "prod"


def test_relative_files_are_meant_from_the_folder_of_their_kubeconfig(tmp_path):
    user = {"client-certificate": "pki/me.crt", "client-key": "/etc/me.key", "tokenFile": "token"}
    cluster = {"server": "https://prod", "certificate-authority": "ca.crt"}
    target = load_one(tmp_path, a_config(cluster=cluster, user=user))
    assert target.cluster.authority == Material(file=f"{tmp_path}/ca.crt")
    assert target.user.certificate == Material(file=f"{tmp_path}/pki/me.crt")
    assert target.user.key == Material(file="/etc/me.key")
    assert target.user.token_file == f"{tmp_path}/token"


def test_data_wins_over_a_file(tmp_path):
    data = base64.b64encode(b"PEM").decode()
    cluster = {
        "server": "https://prod",
        "certificate-authority": "ca.crt",
        "certificate-authority-data": data,
    }
    assert load_one(tmp_path, a_config(cluster=cluster)).cluster.authority.data == b"PEM"


def test_a_pod_without_a_kubeconfig_uses_its_service_account(tmp_path):
    for name, text in (("token", "t"), ("ca.crt", "PEM"), ("namespace", "shop\n")):
        (tmp_path / name).write_text(text)
    environment = {
        "HOME": str(tmp_path),
        "KUBERNETES_SERVICE_HOST": "fd00::1",
        "KUBERNETES_SERVICE_PORT": "443",
    }
    target = kubeconfig.load(environment=environment, account_folder=tmp_path)
    assert target.cluster.server == "https://[fd00::1]:443"
    assert target.user.token_file == f"{tmp_path}/token"
    assert target.namespace == "shop"


def test_an_exec_plugin_is_read_with_everything_it_needs(tmp_path):
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "./login",
        "args": ["--quiet"],
        "env": [{"name": "REGION", "value": "eu"}],
        "interactiveMode": "Never",
        "provideClusterInfo": True,
        "installHint": "get it from the cloud",
    }
    read = load_one(tmp_path, a_config(user={"exec": plugin})).user.exec_plugin
    assert read is not None
    assert (read.command, read.arguments) == (f"{tmp_path}/./login", ("--quiet",))
    assert read.environment == (("REGION", "eu"),)
    assert read.provide_cluster_info
    assert read.interactive_mode == "Never"


def test_impersonation_becomes_headers(tmp_path):
    user = {"token": "t", "as": "bob", "as-groups": ["a", "b"], "as-user-extra": {"why": ["x"]}}
    assert load_one(tmp_path, a_config(user=user)).user.impersonation == (
        ("Impersonate-User", "bob"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-why", "x"),
    )


def test_a_named_file_must_exist(tmp_path):
    with pytest.raises(Refused, match="wanted a file that exists"):
        kubeconfig.load(str(tmp_path / "none"))


def test_where_nothing_is_found_the_error_says_where_it_looked(tmp_path):
    with pytest.raises(Refused, match=r"nothing at .*/\.kube/config"):
        kubeconfig.load(environment={"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("a: [", 'DIR/config:2:1: found "broken YAML", wanted a kubeconfig in YAML'),
        ("[]", "DIR/config: wanted a kubeconfig: one mapping with clusters, users and contexts"),
        (
            a_config(contexts=[]),
            'DIR/config: contexts: found "prod", wanted one of those in the file (it has none)',
        ),
        (
            a_config(clusters=[]),
            'DIR/config: contexts[prod].context.cluster: found "prod", wanted one of '
            "those in the file (it has none)",
        ),
        (
            a_config(cluster={"server": "prod:6443"}),
            "DIR/config: clusters[prod].cluster.server: "
            "wanted an address such as https://host:6443",
        ),
        (
            a_config(cluster={"server": f"https://me:{SECRET}@prod:6443"}),
            "DIR/config: clusters[prod].cluster.server: "
            "wanted an address such as https://host:6443",
        ),
        (
            a_config(cluster={"server": "https://p", "insecure-skip-tls-verify": "yes"}),
            "DIR/config: clusters[prod].cluster.insecure-skip-tls-verify: "
            'found "a text", wanted true or false',
        ),
        (
            a_config(cluster={"server": "https://p", "certificate-authority-data": "%%%"}),
            "DIR/config: clusters[prod].cluster.certificate-authority-data: "
            'found "a text", wanted PEM text in base64',
        ),
        (
            a_config(cluster={"server": "https://p", "proxy-url": f"socks5://u:{SECRET}@h:1"}),
            "DIR/config: clusters[prod].cluster.proxy-url: wanted an http:// or https:// address",
        ),
        (
            a_config(user={"username": "me", "password": SECRET}),
            "DIR/config: users[prod].user.username: wanted a token, a client certificate or "
            "exec: API servers no longer take passwords",
        ),
        (
            a_config(user={"token": [SECRET]}),
            'DIR/config: users[prod].user.token: found "a list", wanted a text',
        ),
        (
            a_config(user={"exec": {"command": "x", "apiVersion": "v1"}}),
            'DIR/config: users[prod].user.exec.apiVersion: found "v1", wanted '
            "client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1",
        ),
        (
            a_config(users=[{"name": "a"}, {"name": "a"}]),
            'DIR/config: users[a].name: found "a", wanted a name that is not taken yet',
        ),
    ],
)
def test_a_mistake_is_answered_with_file_path_and_what_would_be_accepted(
    tmp_path, document, sentence
):
    assert refusal(tmp_path, document) == sentence


def test_no_error_and_no_repr_shows_a_credential(tmp_path):
    broken = f"users: [{{name: a, user: {{token: {SECRET}"
    assert SECRET not in refusal(tmp_path, broken)
    user = {"token": SECRET, "client-key-data": base64.b64encode(SECRET.encode()).decode()}
    assert SECRET not in refusal(tmp_path, a_config(user=user))
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "x",
        "env": [{"name": "A", "value": SECRET}],
    }
    target = load_one(tmp_path, a_config(user={"token": SECRET, "exec": plugin}))
    assert target.user.token == SECRET
    assert SECRET not in repr(target)
