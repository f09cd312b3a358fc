"""What the options say that every command has, and the way from there to the cluster."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from oneco.errors import Unavailable
from oneco.main.connecting import Choice, Connected, connect

ValueT = TypeVar("ValueT")
Connect = Callable[[Choice], contextlib.AbstractAsyncContextManager[Connected]]

DATA_VARIABLE: Final = "ONECO_DATA"
_META: Final = "oneco.options"
_FORMATS: Final = ("text", "json", "yaml")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One command line's choice of cluster, namespace and output."""

    choice: Choice
    data: str = ""
    is_data_named: bool = False
    """Whether the command line itself says where the data is."""
    namespace: str = ""
    output: str = "text"
    connect: Connect = connect

    def run(self, work: Callable[[Connected], Awaitable[ValueT]]) -> ValueT:
        """What `work` answers about the chosen cluster."""

        async def connected() -> ValueT:
            async with self.connect(self.choice) as cluster:
                return await work(cluster)

        try:
            return asyncio.run(connected())
        except Unavailable as failure:
            file = self.choice.file()
            if file is None or failure.retry_after_seconds is not None:
                raise
            hint = f"{failure} (the kubeconfig is {file}; is its hub running?)"
            raise Unavailable(hint) from failure

    def namespace_of(self, cluster: Connected) -> str:
        """The namespace to work in."""
        return self.namespace or cluster.namespace or "default"

    def data_directory(self) -> Path:
        """The data directory of the hub on this machine."""
        return Path(self.data or usual_data())


def current() -> Session:
    """The session of the command that runs."""
    context = click.get_current_context()
    said: dict[str, Any] = context.meta.get(_META) or {}
    data = said.get("data") or os.environ.get(DATA_VARIABLE, "")
    choice = Choice(
        kubeconfig=said.get("kubeconfig") or "",
        context=said.get("context") or "",
        data=data,
        usual_data=usual_data(),
    )
    given = context.find_root().obj
    return Session(
        choice=choice,
        data=data,
        is_data_named="data" in said,
        namespace=said.get("namespace") or "",
        output=said.get("output") or "text",
        connect=given if given is not None else connect,
    )


def usual_data() -> str:
    """Where a hub keeps its data unless told otherwise."""
    home = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return os.path.join(home, "oneco")


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None:
        said: dict[str, Any] = context.meta.setdefault(_META, {})
        said[str(parameter.name)] = value


def _option(*names: str, metavar: str, text: str) -> click.Option:
    return click.Option(
        names, metavar=metavar, help=text, expose_value=False, callback=_remember, hidden=False
    )


def options() -> list[click.Parameter]:
    """The options that stand before or after every command."""
    return [
        _option("--kubeconfig", metavar="FILE", text="The cluster to talk to."),
        _option("--context", metavar="NAME", text="The context of the kubeconfig to use."),
        _option("--data", metavar="DIR", text="The data directory of a hub on this machine."),
        _option("-n", "--namespace", metavar="NAME", text="The namespace to work in."),
        click.Option(
            ("-o", "--output"),
            type=click.Choice(_FORMATS),
            help="How to print: text, json or yaml.",
            expose_value=False,
            callback=_remember,
        ),
    ]


def is_terminal() -> bool:
    """Whether a person looks at what is printed."""
    return sys.stdout.isatty()
