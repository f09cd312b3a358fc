"""The tree as git sees it: every file that is committed or would be, and nothing ignored."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Machine-written: no rule of style holds there.
GENERATED = "oneco/generated/"


@functools.cache
def files() -> tuple[Path, ...]:
    """Every file of the tree, relative to its root, in order."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    # A file that was removed but not yet from git's index is no longer there to be read.
    paths = sorted(Path(name) for name in set(listing.split("\0")) if name)
    return tuple(path for path in paths if (ROOT / path).is_file())


@functools.cache
def text(path: Path) -> str | None:
    """A file's text, or None when it is not text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


@functools.cache
def python_files() -> tuple[Path, ...]:
    """Python that a person wrote."""
    return tuple(
        path
        for path in files()
        if (path.suffix == ".py" or path == Path("dev"))
        and not path.as_posix().startswith(GENERATED)
    )
