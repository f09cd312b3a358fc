"""How a command that did not succeed ends: one sentence, the right status, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NoReturn

import pytest
from click.testing import CliRunner

from oneco.cli.program import oneco
from oneco.errors import Refused, Unavailable
from oneco.kube.errors import Forbidden, ServiceUnavailable
from oneco.main.connecting import Choice
from tests.cli.given import Answer


def failing(error: BaseException, *words: str) -> Answer:
    """What `oneco clusters` does where the way to the cluster fails like this."""

    def connect(choice: Choice) -> NoReturn:
        raise error

    done = CliRunner().invoke(oneco, ["clusters", *words], obj=connect)
    return Answer(done.exit_code, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (Refused("here", found="a", wanted="b"), 1, 'oneco: here: found "a", wanted b\n'),
        (Forbidden("you may not"), 1, "oneco: you may not\n"),
        (Unavailable("the disk is full"), 2, "oneco: the disk is full\n"),
        (ServiceUnavailable("it is down"), 2, "oneco: it is down\n"),
        (OSError(28, "No space left on device"), 2, "oneco: no space left on device\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_each_family_of_failure_has_its_status(error, status: int, says: str):
    answer = failing(error)
    assert (answer.status, answer.out) == (status, "")
    assert answer.err.strip().removesuffix(")").startswith(says.strip())


def test_a_fault_of_our_own_is_one_sentence_too():
    answer = failing(KeyError("x"))
    assert answer.status == 2
    assert answer.err == (
        "oneco: this is a fault in oneco itself: KeyError: 'x' (ONECO_DEBUG=1 shows where)\n"
    )


def test_several_failures_at_once_are_told_by_the_first():
    group = BaseExceptionGroup("both", [Unavailable("one"), Unavailable("two")])
    assert failing(group).err == "oneco: one\n"


@pytest.mark.parametrize("words", [("-o", "json"), ("-ojson",), ("--output=json",)])
def test_with_json_the_failure_is_one_document_on_stdout(words):
    answer = failing(Refused("here", found="a", wanted="b"), *words)
    assert answer.status == 1
    assert answer.document["error"] == {
        "where": "here", "found": "a", "wanted": "b",
        "message": 'here: found "a", wanted b',
    }  # fmt: skip


def test_a_reader_that_goes_away_is_no_failure():
    code = "import sys; from oneco.cli import main; sys.exit(main(['help', 'all']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.wait(20)


def test_json_on_stdout_is_json_alone():
    done = subprocess.run(
        [sys.executable, "-m", "oneco", "version", "-o", "json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert list(json.loads(done.stdout)) == ["version"]
