"""`oneco up`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from oneco.cli import printing, session, up_elsewhere
from oneco.cli.program import command as a_command
from oneco.errors import Refused

if TYPE_CHECKING:
    from oneco.main.up import Running


@a_command("up")
@click.option(
    "--listen", default="127.0.0.1:0", metavar="HOST:PORT",
    help="Where to serve; port 0 takes the one of the last start, or any.",
)  # fmt: skip
@click.option(
    "--fleet", "fleets", multiple=True, type=click.Path(exists=False), metavar="FILE|DIR",
    help="A Fleet of clusters to build in.",
)  # fmt: skip
@click.option("--speed", default=1.0, metavar="N", help="Let time run N times as fast.")
@click.option(
    "--from", "origin", type=click.Path(), metavar="FILE",
    help="Go on from a copy that `oneco backup` made; --data must be new.",
)  # fmt: skip
@click.option(
    "--key", default=None, type=click.Path(), metavar="FILE",
    help="The keys of that copy, as `oneco keys export` wrote them; - reads them from stdin.",
)  # fmt: skip
@click.option("--in-cluster", is_flag=True, help="The hub is the cluster that this pod runs in.")
@click.option(
    "--restored", is_flag=True,
    help="The store of the hub that --kubeconfig names was put back from a backup.",
)  # fmt: skip
@click.pass_context
def command(
    context: click.Context,
    listen: str,
    fleets: tuple[str, ...],
    speed: float,
    origin: str | None,
    key: str | None,
    in_cluster: bool,
    restored: bool,
) -> None:
    """Start a hub and stay until Ctrl-C.

    Everything is kept in the directory that --data names, and found there by the next start.

    With --kubeconfig or --context, the API server that they name is the hub: this process only
    decides and writes there, and nothing is kept here. Of several such processes one works. Where
    --listen is given, that API server asks there about each object before it keeps it.
    """
    current = session.current()
    if current.choice.kubeconfig or current.choice.context or in_cluster:
        given = {"--fleet": bool(fleets), "--speed": speed != 1.0, "--from": origin is not None}
        is_asked = context.get_parameter_source("listen") is not ParameterSource.DEFAULT
        wish = up_elsewhere.Wish(
            in_cluster=in_cluster,
            restored=restored,
            listen=address(listen) if is_asked else None,
        )
        up_elsewhere.up(current, given, wish)
        return
    if restored:
        wanted = "--kubeconfig with it; a hub of this machine goes on from a copy with --from FILE"
        raise Refused("--restored", wanted=wanted)
    host, port = address(listen)
    if not 0 < speed <= 100_000:
        raise Refused("--speed", found=f"{speed:g}", wanted="a number above 0, at most 100000")
    if key is not None and origin is None:
        raise Refused("--key", found=key, wanted="--from FILE beside it: a copy that it opens")
    from oneco.main.up import UpOptions, up

    options = UpOptions(
        data=current.data_directory(),
        host=host,
        port=port,
        fleet=tuple(Path(one) for one in fleets),
        speed=speed,
        origin=Path(origin) if origin else None,
        origin_key=Path("/dev/stdin" if key == "-" else key) if key else None,
    )

    async def ready(running: Running) -> None:
        printing.show(_document(running), current.output, _text(running))

    up(options, ready)


def address(listen: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`; Refused for anything else."""
    host, colon, port = listen.rpartition(":")
    is_fine = colon and port.isdecimal() and int(port) < 65536
    if not is_fine or (":" in host and not host.startswith("[")):
        raise Refused("--listen", found=listen, wanted="HOST:PORT such as 127.0.0.1:8443")
    return host.strip("[]") or "127.0.0.1", int(port)


def _document(running: Running) -> dict[str, Any]:
    members = {name: str(path) for name, path in running.kubeconfigs.items()}
    return {
        "url": running.url,
        "kubeconfig": str(running.kubeconfig),
        "clusters": members,
        "waitsForConfirmation": running.is_waiting_for_confirmation,
    }


def _text(running: Running) -> str:
    lines = [f"The hub is up at {running.url}.", f"  kubeconfig: {running.kubeconfig}"]
    if running.kubeconfigs:
        rows = [(f"  {name}", path) for name, path in running.kubeconfigs.items()]
        lines.append(printing.table(("  CLUSTER", "KUBECONFIG"), rows))
    if running.is_waiting_for_confirmation:
        lines.append("It was started from a copy: agents change nothing until")
        lines.append("  oneco clusters confirm --all")
    return "\n".join((*lines, "Ctrl-C ends it; the next start goes on where it was."))
