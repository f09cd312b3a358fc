"""What can be read besides resources: health, version, discovery and OpenAPI."""

from __future__ import annotations

import platform
from typing import Any

from oneco.kube.errors import MethodNotAllowed
from oneco.worlds.apiserver.registry import no_such_resource
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.embedded import answers, negotiation
from oneco.worlds.embedded.answers import Answer
from oneco.worlds.embedded.discovery import Discovery
from oneco.worlds.embedded.openapi import OpenApi
from oneco.worlds.embedded.paths import group_version
from oneco.worlds.embedded.requests import Request

# The release whose behaviour is followed; clients choose what they send by it.
_MAJOR, _MINOR, _PATCH = 1, 36, 3
_OPENAPI_V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_HEALTH = ("/livez", "/readyz", "/healthz")


class Documents:
    """Answers the paths that name no resource."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._discovery = Discovery(())
        self._openapi = OpenApi(server)

    def answer(self, request: Request) -> Answer:
        """The document at the path of `request`."""
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(
                "the server does not allow this method on the requested resource"
            )
        path = request.path.rstrip("/")
        if path.startswith(_HEALTH):
            return answers.of_text("ok")
        if path == "/version":
            return answers.of_json(_version())
        if path == "/openapi/v2":
            return _old_openapi(request)
        if path.startswith("/openapi/v3"):
            found = self._openapi.document(path, self._present())
        elif path in ("/api", "/apis"):
            return self._roots(request, is_core=path == "/api")
        else:
            found = self._group_document(path)
        if found is None:
            raise no_such_resource()
        return answers.of_json(found)

    def _present(self) -> Discovery:
        served = self._server.discover()
        if tuple(served) != tuple(self._discovery.served):
            self._discovery = Discovery(tuple(served))
        return self._discovery

    def _roots(self, request: Request, *, is_core: bool) -> Answer:
        wanted = negotiation.choose(
            request.headers.get("accept", ""), offered=("APIGroupDiscoveryList",)
        )
        present = self._present()
        if wanted.form == "APIGroupDiscoveryList":
            content = present.aggregated(is_core=is_core, version=wanted.version)
            kind = f"application/json;g=apidiscovery.k8s.io;v={wanted.version}"
            kind += ";as=APIGroupDiscoveryList"
            return answers.of_json(content)._replace(content_type=kind)
        return answers.of_json(present.core_versions() if is_core else present.groups())

    def _group_document(self, path: str) -> dict[str, Any] | None:
        present, found = self._present(), group_version(path)
        if found is not None and not found[1]:
            return present.resources(*found[0])
        parts = path.strip("/").split("/")
        return present.group(parts[1]) if len(parts) == 2 and parts[0] == "apis" else None


def _old_openapi(request: Request) -> Answer:
    """OpenAPI v2, empty: kubectl insists on it for lists and checks nothing that is not in it."""
    if "protobuf" in request.headers.get("accept", ""):
        # The first field of the message, `swagger`, as a string of three bytes.
        return Answer(200, b"\x0a\x032.0", _OPENAPI_V2)
    info = {"title": "oneco", "version": f"v{_MAJOR}.{_MINOR}"}
    return answers.of_json({"swagger": "2.0", "info": info, "paths": {}, "definitions": {}})


def _version() -> dict[str, str]:
    return {
        "major": str(_MAJOR),
        "minor": str(_MINOR),
        "gitVersion": f"v{_MAJOR}.{_MINOR}.{_PATCH}+oneco",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": platform.python_implementation(),
        "platform": f"{platform.system().lower()}/{platform.machine()}",
    }
