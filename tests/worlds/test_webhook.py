"""What an API server hears when it asks about an object before it keeps it."""

from __future__ import annotations

import asyncio
import json

import pytest

from oneco.kinds import validity
from oneco.worlds.webhook.application import Application

GOOD = {
    "apiVersion": "onepersoncompany.io/v1alpha1",
    "kind": "ReleasePolicy",
    "metadata": {"name": "gently", "namespace": "default"},
    "spec": {"batches": ["25%", "100%"]},
}
BAD = {**GOOD, "spec": {"batches": ["100%", "25%"]}}


def ask(method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """Status and body of one answer."""
    sent: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": body}

    async def send(message: dict) -> None:
        sent.append(message)

    application = Application((validity.Admission(),))
    scope = {"type": "http", "method": method, "path": path}
    asyncio.run(application(scope, receive, send))
    return sent[0]["status"], sent[1]["body"]


def review(operation: str, new, old=None) -> dict:
    """The answer about one object."""
    group, version = "onepersoncompany.io", "v1alpha1"
    request = {
        "uid": "u-1", "operation": operation, "name": "gently", "object": new, "oldObject": old,
        "kind": {"group": group, "version": version, "kind": "ReleasePolicy"},
    }  # fmt: skip
    asked = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    status, body = ask("POST", "/validate", json.dumps(asked).encode())
    assert status == 200
    return json.loads(body)["response"]


def test_a_good_object_is_allowed():
    assert review("CREATE", GOOD) == {"uid": "u-1", "allowed": True}


def test_a_bad_object_is_refused_with_each_mistake_and_its_place():
    response = review("CREATE", BAD)
    assert not response["allowed"]
    assert response["status"]["code"] == 422
    causes = response["status"]["details"]["causes"]
    assert [one["field"] for one in causes] == ["spec.batches[1]"]
    assert "spec.batches[1]: " in response["status"]["message"]


def test_what_was_bad_already_may_be_deleted_and_left_as_it_is():
    assert review("DELETE", None, BAD)["allowed"]
    assert review("UPDATE", BAD, BAD)["allowed"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/healthz", b"", 200),
        ("GET", "/readyz", b"", 200),
        ("GET", "/validate", b"", 405),
        ("GET", "/", b"", 404),
        ("POST", "/validate", b"nothing", 400),
        ("POST", "/validate", b"{}", 400),
        ("POST", "/validate", b" " * (9 << 20), 413),
    ],
)
def test_every_request_gets_an_answer(method, path, body, status):
    assert ask(method, path, body)[0] == status
