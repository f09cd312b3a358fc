"""From kubeconfig files, or the service account of a pod, to one API server and one user."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import yaml

from oneco.errors import Refused
from oneco.worlds.cluster.entries import Entry
from oneco.worlds.cluster.target import (
    Cluster,
    ExecPlugin,
    InteractiveMode,
    Material,
    Target,
    User,
)

EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_EXEC_EXTENSION = "client.authentication.k8s.io/exec"
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class _Merged(NamedTuple):
    """All kubeconfig files as one: the first file that names a thing decides what it is."""

    files: tuple[str, ...]
    current_context: str
    contexts: Mapping[str, Entry]
    clusters: Mapping[str, Entry]
    users: Mapping[str, Entry]


def load(
    kubeconfig_path: str | None = None,
    context: str | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    account_folder: Path = _ACCOUNT,
) -> Target:
    """Where to go and as whom: by the given file, else KUBECONFIG, else ~/.kube/config, else a pod.

    A file that is named outright must exist; those of the KUBECONFIG list may be missing.
    """
    if kubeconfig_path is not None:
        if not os.path.exists(kubeconfig_path):
            raise Refused("kubeconfig", found=kubeconfig_path, wanted="a file that exists")
        return _choose(_merge([kubeconfig_path]), context)
    files = _listed_files(environment)
    merged = _merge([file for file in files if os.path.exists(file)])
    is_empty = not (merged.contexts or merged.clusters or merged.current_context)
    if is_empty and context is None:
        inside = _in_cluster(environment, account_folder)
        if inside is not None:
            return inside
    if not merged.files:
        wanted = "a kubeconfig there, or another named by --kubeconfig or KUBECONFIG"
        raise Refused("kubeconfig", found=f"nothing at {', '.join(files)}", wanted=wanted)
    return _choose(merged, context)


def in_cluster(
    *, environment: Mapping[str, str] = os.environ, account_folder: Path = _ACCOUNT
) -> Target:
    """The cluster that this pod runs in, as its service account; Refused outside of a pod."""
    found = _in_cluster(environment, account_folder)
    if found is None:
        wanted = f"a pod with a service account: KUBERNETES_SERVICE_HOST and {account_folder}/token"
        raise Refused("in-cluster", found="none of it", wanted=wanted)
    return found


def _listed_files(environment: Mapping[str, str]) -> list[str]:
    listed = [one for one in environment.get("KUBECONFIG", "").split(os.pathsep) if one]
    if listed:
        return list(dict.fromkeys(listed))
    home = environment.get("HOME") or os.path.expanduser("~")
    return [os.path.join(home, ".kube", "config")]


def _merge(files: Sequence[str]) -> _Merged:
    current = ""
    contexts: dict[str, Entry] = {}
    clusters: dict[str, Entry] = {}
    users: dict[str, Entry] = {}
    for file in files:
        document = Entry(file, "", _read(file))
        current = current or document.text("current-context")
        contexts = document.named("contexts", "context") | contexts
        clusters = document.named("clusters", "cluster") | clusters
        users = document.named("users", "user") | users
    return _Merged(tuple(files), current, contexts, clusters, users)


def _read(file: str) -> Mapping[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(Path(file).read_bytes(), Loader=loader)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Refused(file, found=reason, wanted="a kubeconfig that can be read") from None
    except yaml.YAMLError as error:
        # The error's own text quotes the line, and the line may hold a token.
        mark = getattr(error, "problem_mark", None)
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        raise Refused(place, found="broken YAML", wanted="a kubeconfig in YAML") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise Refused(file, wanted="a kubeconfig: one mapping with clusters, users and contexts")
    return document


def _choose(merged: _Merged, context: str | None) -> Target:
    shown = ", ".join(merged.files)
    name = context or merged.current_context
    if not name:
        known = _names(merged.contexts)
        raise Refused(f"{shown}: current-context", found="nothing", wanted=f"one of {known}")
    chosen = merged.contexts.get(name)
    if chosen is None:
        raise Refused(f"{shown}: contexts", found=name, wanted=f"one of {_names(merged.contexts)}")
    cluster_name, user_name = chosen.needed_text("cluster"), chosen.text("user")
    if cluster_name not in merged.clusters:
        known = _names(merged.clusters)
        raise Refused(chosen.where("cluster"), found=cluster_name, wanted=f"one of {known}")
    if user_name and user_name not in merged.users:
        known = _names(merged.users)
        raise Refused(chosen.where("user"), found=user_name, wanted=f"one of {known}")
    return Target(
        cluster=_cluster(merged.clusters[cluster_name]),
        user=_user(merged.users[user_name]) if user_name else User(),
        namespace=chosen.text("namespace"),
        context=name,
    )


def _names(entries: Mapping[str, Entry]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(entries)) or "those in the file (it has none)"


def _cluster(entry: Entry) -> Cluster:
    server = entry.needed_text("server")
    # kubectl takes a bare host:port as http, which is nearly always a mistake.
    if not _is_http(server) or "@" in urlsplit(server).netloc:
        raise Refused(entry.where("server"), wanted="an address such as https://host:6443")
    cluster = Cluster(
        where=entry.where(),
        server=server.rstrip("/"),
        authority=entry.material("certificate-authority"),
        insecure=entry.flag("insecure-skip-tls-verify"),
        server_name=entry.text("tls-server-name"),
        proxy_url=_proxy_url(entry),
        disable_compression=entry.flag("disable-compression"),
        exec_config=_exec_config(entry),
    )
    if cluster.insecure and cluster.authority:
        wanted = "either a certificate authority or insecure-skip-tls-verify, not both"
        raise Refused(entry.where("insecure-skip-tls-verify"), wanted=wanted)
    return cluster


def _proxy_url(entry: Entry) -> str:
    url = entry.text("proxy-url")
    if url and not _is_http(url):
        raise Refused(entry.where("proxy-url"), wanted="an http:// or https:// address")
    return url


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Reading the port is what finds a wrong one.
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _exec_config(entry: Entry) -> Mapping[str, Any] | None:
    for extension in entry.list("extensions"):
        if extension.values.get("name") == _EXEC_EXTENSION:
            inner = extension.inner("extension")
            return inner.values if inner else None
    return None


def _user(entry: Entry) -> User:
    _refuse_what_is_gone(entry)
    certificate, key = entry.material("client-certificate"), entry.material("client-key")
    if bool(certificate) != bool(key):
        wanted = "both client-certificate and client-key, or neither"
        raise Refused(entry.where("client-certificate"), wanted=wanted)
    inner = entry.inner("exec")
    return User(
        where=entry.where(),
        certificate=certificate,
        key=key,
        token=entry.text("token"),
        token_file=entry.file_path("tokenFile"),
        exec_plugin=_exec_plugin(inner) if inner else None,
        impersonation=_impersonation(entry),
    )


def _refuse_what_is_gone(entry: Entry) -> None:
    if entry.values.get("username") or entry.values.get("password"):
        wanted = "a token, a client certificate or exec: API servers no longer take passwords"
        raise Refused(entry.where("username"), wanted=wanted)
    if entry.values.get("auth-provider"):
        raise Refused(entry.where("auth-provider"), wanted="an exec plugin in its place")


def _impersonation(entry: Entry) -> tuple[tuple[str, str], ...]:
    headers: list[tuple[str, str]] = []
    if entry.text("as"):
        headers.append(("Impersonate-User", entry.text("as")))
    if entry.text("as-uid"):
        headers.append(("Impersonate-Uid", entry.text("as-uid")))
    headers += [("Impersonate-Group", group) for group in entry.texts("as-groups")]
    extra = entry.inner("as-user-extra")
    for name in extra.values if extra else ():
        headers += [(f"Impersonate-Extra-{name}", value) for value in extra.texts(name)]  # type: ignore[union-attr]
    return tuple(headers)


def _exec_plugin(entry: Entry) -> ExecPlugin:
    api_version = entry.text("apiVersion")
    if api_version not in EXEC_VERSIONS:
        raise Refused(
            entry.where("apiVersion"), found=api_version, wanted=" or ".join(EXEC_VERSIONS)
        )
    # v1 has no default for it, v1beta1 has.
    mode = entry.text("interactiveMode") or (
        "IfAvailable" if api_version == EXEC_VERSIONS[1] else ""
    )
    if mode not in ("Never", "IfAvailable", "Always"):
        raise Refused(
            entry.where("interactiveMode"), found=mode, wanted="Never, IfAvailable or Always"
        )
    command = entry.needed_text("command")
    return ExecPlugin(
        where=entry.where(),
        # With a slash it is meant from the kubeconfig's folder, without one from PATH.
        command=entry.file_path("command") if os.sep in command else command,
        api_version=api_version,
        arguments=entry.texts("args"),
        environment=tuple(
            (one.needed_text("name"), one.text("value")) for one in entry.list("env")
        ),
        interactive_mode=cast(InteractiveMode, mode),
        provide_cluster_info=entry.flag("provideClusterInfo"),
        install_hint=entry.text("installHint"),
    )


def _in_cluster(environment: Mapping[str, str], folder: Path) -> Target | None:
    host = environment.get("KUBERNETES_SERVICE_HOST")
    port = environment.get("KUBERNETES_SERVICE_PORT")
    if not host or not port or not (folder / "token").exists():
        return None
    shown = f"[{host}]" if ":" in host else host
    namespace = folder / "namespace"
    where = "the pod's service account"
    return Target(
        cluster=Cluster(
            where=where,
            server=f"https://{shown}:{port}",
            authority=Material(file=str(folder / "ca.crt")),
        ),
        user=User(where=where, token_file=str(folder / "token")),
        namespace=namespace.read_text().strip() if namespace.exists() else "",
        context="in-cluster",
    )
