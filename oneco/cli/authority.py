"""`oneco authority`."""

from __future__ import annotations

from oneco.cli import printing, program, session
from oneco.main.connecting import Connected

command = program.family("authority", "show", "The authority that signs a hub's certificates.")


@program.command("show")
def _show() -> None:
    """Show whether the hub's authority is being changed, and for whom that waits."""
    from oneco.main import authority_change

    current = session.current()

    async def work(hub: Connected) -> authority_change.State:
        return await authority_change.state(hub.api)

    found = current.run(work)
    value = {"changing": found.is_changing, "waiting": list(found.waiting)}
    text = "The authority is settled: `oneco authority change` makes a new one."
    if found.is_changing:
        names = ", ".join(found.waiting) or "nobody"
        text = f"Both the old and the new authority are trusted; waits for the agents of: {names}."
    printing.show(value, current.output, text)


@program.command("change")
def _change() -> None:
    """Make a new authority, in whose certificates hub and agents then believe.

    No cluster joins anew: both are trusted until each agent has come with a certificate of the new
    one. Copies of the hub's kubeconfig elsewhere have to be made again.
    """
    from oneco.main import authority_change

    current = session.current()
    current.run(lambda hub: authority_change.change(hub.api))
    text = (
        "A new authority is being made. `oneco authority` shows which agents it waits for;"
        "\nthe old one goes when all have followed."
    )
    printing.show({"changing": True}, current.output, text)


@program.command("finish")
def _finish() -> None:
    """Wait for no agent any more: the old authority goes now.

    Clusters whose agents have not followed have to be invited again.
    """
    from oneco.main import authority_change

    current = session.current()
    left = current.run(lambda hub: authority_change.finish(hub.api))
    names = ", ".join(left)
    text = f"Invite again: {names}." if names else "Every agent has followed."
    printing.show({"left": list(left)}, current.output, text)


for one in (_show, _change, _finish):
    command.add_command(one)
