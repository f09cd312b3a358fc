"""Import contracts that also hold while some rooms do not exist yet.

import-linter's own `forbidden` and `protected` stop with an error at a module that is missing;
rooms are built one after another, and console comes late.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from grimp import ImportGraph
from importlinter import ContractCheck
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.protected import ProtectedContract


class Forbidden(ForbiddenContract):
    """`forbidden`, between those of the named modules that exist."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        self.source_modules: Any = existing(graph, self.source_modules)
        self.forbidden_modules: Any = existing(graph, self.forbidden_modules)
        return super().check(graph, verbose)


class Protected(ProtectedContract):
    """`protected`, for those of the named modules that exist."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        self.protected_modules: Any = existing(graph, self.protected_modules)
        self.allowed_importers: Any = existing(graph, self.allowed_importers)
        return super().check(graph, verbose)


def existing(graph: ImportGraph, expressions: Iterable[Any]) -> list[Any]:
    """The expressions that name other products' modules or modules of ours that exist."""
    return [
        expression
        for expression in expressions
        if not expression.expression.startswith("oneco.") or expression.expression in graph.modules
    ]
