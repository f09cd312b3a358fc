"""The practice guide can be followed: its commands are run, in order, as they are printed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sysconfig
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "practice"
CHAPTERS = sorted(GUIDE.glob("*.md"))
COMMANDS = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LANGUAGES = re.compile(r"^```(\S*)\n.*?^```", re.MULTILINE | re.DOTALL)
LIMIT_SECONDS = 200
# What a reader sees on the way, in this order, chapter by chapter.
SHOWN = {
    "01-from-an-empty-machine-to-the-first-release": [
        "kind: Deployment",
        "The release of web to 3 clusters succeeded",
        "The hub is up",
        "Release web-v1  Succeeded",
        "The release of web to 3 clusters succeeded",
        "Release web-v2  Succeeded",
        "Release web-v3  RolledBack",
        "staging, batch 1 of 3",
        "Release web-v4  Succeeded",
    ],
    "02-joining-real-clusters": [
        "cluster staging at https://",
        "production.invitation invites cluster production",
        "Release web-v1  Succeeded",
        "Release web-v2  Progressing",
        "Release web-v2  Succeeded",
        "Release web-v3  RolledBack",
        "ServiceAccount oneco-system/oneco-hub created",
        "staging.second invites cluster staging",
        "Release web-v1  Succeeded",
        " leads the hub",
        "Release web-v2  Succeeded",
        "ServiceAccount oneco-system/oneco-hub removed",
    ],
}
ON_REAL_CLUSTERS = {"02-joining-real-clusters": ("staging", "production", "hub")}
"""Chapters that are run by tests/real, with a kubeconfig for each of these."""


def named(chapter: Path) -> str:
    return chapter.stem


@pytest.mark.parametrize("chapter", CHAPTERS, ids=named)
def test_a_chapter_says_of_each_block_whether_it_is_run(chapter):
    assert set(LANGUAGES.findall(chapter.read_text())) <= {"sh", "text"}


@pytest.mark.slow  # A chapter is minutes of a reader's work.
@pytest.mark.skipif(shutil.which("bash") is None, reason="the guide is written for bash")
@pytest.mark.parametrize(
    "chapter", [one for one in CHAPTERS if one.stem not in ON_REAL_CLUSTERS], ids=named
)
def test_the_commands_of_a_chapter_work_one_after_the_other(chapter, tmp_path):
    (tmp_path / "work").mkdir()
    follow(chapter, tmp_path)


def follow(chapter: Path, folder: Path, *, seconds: float = LIMIT_SECONDS) -> None:
    """Run the chapter's commands in `work` of the folder, and see what a reader sees."""
    script = "\n".join(("set -euo pipefail", *COMMANDS.findall(chapter.read_text())))
    (folder / "chapter.sh").write_text(script)
    shown = run(folder, seconds)
    place = 0
    for text in SHOWN[chapter.stem]:
        assert text in shown[place:], f"{text!r} is not shown after:\n{shown[:place][-2000:]}"
        place = shown.index(text, place) + len(text)


def run(folder: Path, seconds: float) -> str:
    """What the chapter's commands print; a command that fails ends them and the test."""
    scripts = sysconfig.get_path("scripts")
    environment = {"PATH": f"{scripts}:{os.environ['PATH']}", "HOME": str(folder)}
    with subprocess.Popen(
        ["bash", str(folder / "chapter.sh")],
        cwd=folder / "work",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            shown, _ = shell.communicate(timeout=seconds)
        except BaseException:
            end(shell)
            raise
    if shell.returncode:
        end(shell)
    assert shell.returncode == 0, shown[-4000:]
    return shown


def end(shell: subprocess.Popen[str]) -> None:
    """End the shell and whatever it left behind: all of it shares one session."""
    try:
        os.killpg(shell.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
