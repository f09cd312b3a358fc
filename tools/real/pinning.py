"""Makes the Go modules beside this file again, at other versions.

    python -m tools.real.pinning k8s.io/kubernetes=v1.36.3

For every product that is named: a new `go.mod` with `tool` lines, and its `go.sum`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.real.building import HERE, PROGRAMS, Program

KUBERNETES = "k8s.io/kubernetes"
# Some of what these need cannot be looked up any more: their own go.sum has its hashes.
_SEEDED = ("github.com/openkruise/kruise", "open-cluster-management.io/ocm")
_GO = "1.26.0"
# Kubernetes' own go.mod finds these in folders of its repository; each is published too.
_STAGED = re.compile(r"^\s*(k8s\.io/[a-z-]+) v0\.0\.0$", re.MULTILINE)


def pin(product: str, version: str) -> None:
    """Write the module that pins one product."""
    tools = [program for program in PROGRAMS if program.versioned_by == product]
    if not tools:
        known = ", ".join(sorted({program.versioned_by for program in PROGRAMS}))
        raise SystemExit(f"no program is of {product}; there are: {known}")
    folder = HERE / tools[0].module
    folder.mkdir(exist_ok=True)
    for name in ("go.mod", "go.sum"):
        (folder / name).unlink(missing_ok=True)
    _go(folder, "mod", "init", f"onepersoncompany.test/{folder.name}")
    _go(folder, "mod", "edit", f"-go={_GO}")
    if product == KUBERNETES:
        _replace_staged(folder, version)
    if product in _SEEDED:
        _replace_released(folder, product, version)
    _go(folder, "get", "-tool", *(_at(program, version) for program in tools))
    if product in _SEEDED:
        # The seed names what the product's tests need as well.
        _go(folder, "mod", "tidy")


def _replace_staged(folder: Path, version: str) -> None:
    published = "v0." + version.removeprefix("v1.")
    released = Path(_downloaded(folder, KUBERNETES, version)["GoMod"])
    for name in _STAGED.findall(released.read_text()):
        _go(folder, "mod", "edit", f"-replace={name}={name}@{published}")


def _replace_released(folder: Path, product: str, version: str) -> None:
    """Take over what the product's own go.mod replaces, and start with its go.sum."""
    told = _downloaded(folder, product, version)
    for one in json.loads(_go(folder, "mod", "edit", "-json", told["GoMod"]))["Replace"] or ():
        old, new = one["Old"], one["New"]
        if "Version" in new:
            _go(folder, "mod", "edit", f"-replace={_named(old)}={_named(new)}")
    shutil.copyfile(Path(told["Dir"]) / "go.sum", folder / "go.sum")


def _downloaded(folder: Path, product: str, version: str) -> Any:
    return json.loads(_go(folder, "mod", "download", "-json", f"{product}@{version}"))


def _named(module: dict[str, str]) -> str:
    return "@".join(filter(None, (module["Path"], module.get("Version"))))


def _at(program: Program, version: str) -> str:
    return f"{program.package}@{version}"


def _go(folder: Path, *words: str) -> str:
    done = subprocess.run(["go", *words], cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        pin(*argument.split("=", 1))
