"""Secrets are known wherever their manifests stand, and texts about them are cleaned."""

from __future__ import annotations

import base64
import json

import pytest

from oneco.kube import secrecy
from oneco.kube.objects import Object
from oneco.kube.secrecy import redacted

PLANTED = 'pl4nted-"hunter2"-☃'


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def a_secret(**more: object) -> Object:
    return {"kind": "Secret", "metadata": {"name": "s"}, "data": {"p": b64(PLANTED)}, **more}


WORK = {"kind": "ManifestWork", "spec": {"workload": {"manifests": [a_secret()]}}}
PODS = {"spec": {"containers": [{"name": "c", "env": [{"name": "P", "value": PLANTED}]}]}}


@pytest.mark.parametrize("about", [a_secret(), WORK, PODS, a_secret(stringData={"p": PLANTED})])
@pytest.mark.parametrize(
    "quoted", [PLANTED, json.dumps(PLANTED), json.dumps(PLANTED, ensure_ascii=False), b64(PLANTED)]
)
def test_a_secret_is_taken_out_of_a_text_in_every_form(about, quoted):
    said = redacted(f"Invalid value: {quoted}: must be shorter", about)
    assert said.replace('"', "") == "Invalid value: ***: must be shorter"


def test_a_secret_that_was_cut_short_is_taken_out_too():
    long = "x" + "secret" * 60
    said = redacted(f'found "{long[:100]}...", wanted less', a_secret(stringData={"p": long}))
    assert said == 'found "***...", wanted less'


def test_one_line_of_a_file_that_is_secret_is_taken_out():
    kubeconfig = "users:\n- user:\n    token: abcdefgh-123\n"
    said = redacted("line 3: token: abcdefgh-123", a_secret(data={"k": b64(kubeconfig)}))
    assert said == "line 3: ***"


def test_a_number_that_should_have_been_text_is_secret_too():
    about = {"env": [{"name": "PIN", "value": 12345678}]}
    assert redacted("found 12345678, wanted text", about) == "found ***, wanted text"


def test_words_that_are_no_secret_stay():
    about = {**PODS, "env": [{"name": "DEBUG", "value": "true"}, {"name": "N", "value": "1"}]}
    said = "spec.containers[0].env[1].value: wanted 1 of 3"
    assert redacted(said, about) == said


def test_what_a_secret_holds_is_hidden_wherever_its_manifest_stands():
    note = {"annotations": {secrecy.LAST_APPLIED: PLANTED, "kept": "x"}}
    work = {
        "manifests": [{**a_secret(), "metadata": note}, {"kind": "ConfigMap", "data": {"a": "b"}}]
    }
    shown = secrecy.shown(secrecy.hidden(work))
    assert shown == {
        "manifests": [
            {
                "kind": "Secret",
                "metadata": {"annotations": {secrecy.LAST_APPLIED: "***", "kept": "x"}},
                "data": {"p": "***"},
            },
            {"kind": "ConfigMap", "data": {"a": "b"}},
        ]
    }


def test_hiding_changes_no_comparison():
    assert secrecy.hidden(a_secret()) == a_secret()
