"""`oneco up --kubeconfig`: the hub is an API server elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from oneco.cli import printing
from oneco.cli.session import Session
from oneco.errors import Refused

if TYPE_CHECKING:
    from oneco.main.remote import Leading

_WHY_NOT: Final = {
    "--fleet": "clusters that join: those of a Fleet live inside a hub of this machine",
    "--speed": "1: the clocks of a hub elsewhere cannot be sped up",
    "--from": "the hub's own store put back, and then --restored",
    "--key": "nothing: no copy is opened here",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was said besides where the hub is."""

    in_cluster: bool
    restored: bool
    listen: tuple[str, int] | None


def up(current: Session, given: Mapping[str, bool], wish: Wish) -> None:
    """Work for the hub that the session chose; Refused where `given` makes no sense with it."""
    chosen = current.choice
    for option, is_given in given.items():
        if is_given:
            raise Refused(f"{option} with a hub elsewhere", wanted=_WHY_NOT[option])
    if wish.in_cluster and (chosen.kubeconfig or chosen.context):
        wanted = "either --in-cluster or --kubeconfig and --context"
        raise Refused("--in-cluster", wanted=wanted)
    from oneco.main import remote

    options = remote.RemoteOptions(
        kubeconfig=chosen.kubeconfig,
        context=chosen.context,
        data=Path(current.data) if current.is_data_named else None,
        is_in_cluster=wish.in_cluster,
        is_copy=wish.restored,
        listen=wish.listen,
    )

    async def ready(leading: Leading) -> None:
        value = {"url": leading.url, "identity": leading.identity, "epoch": leading.epoch}
        lines = (
            f"The hub is at {leading.url}; this process works for it.",
            "Ctrl-C ends it; the next start, or another process, goes on where it was.",
        )
        printing.show(value, current.output, "\n".join(lines))

    remote.up(options, ready)
