"""`oneco keys`."""

from __future__ import annotations

from pathlib import Path

import click

from oneco.cli import printing, program, session

command = program.family("keys", "list", "The keys that a hub's data and backups are sealed with.")


@program.command("list")
def _list() -> None:
    """List the keys of the hub on this machine; the keys themselves are not shown."""
    from oneco.main import keys

    current = session.current()
    rows = keys.rows(current.data_directory())
    cells = [
        (one["name"], one["made"], one["use"], "yes" if one["exported"] else "no") for one in rows
    ]
    text = printing.table(("KEY", "MADE", "USE", "EXPORTED"), cells)
    printing.show({"keys": rows}, current.output, text)


@program.command("export")
@click.argument("file")
@click.option("--force", is_flag=True, help="Replace FILE if it is there already.")
def _export(file: str, force: bool) -> None:
    """Write the keys into FILE, without which no backup can be started from.

    Keep it apart from the backups: whoever has both can read every secret. `-` prints the keys,
    for a password manager: `oneco keys export - | pass insert -m oneco`.
    """
    from oneco.main import keys

    current = session.current()
    data, is_shown = current.data_directory(), file == "-"
    text = keys.export(data, None if is_shown else Path(file), force=force)
    rows = keys.rows(data)
    if is_shown:
        printing.show({"file": None, "keys": rows, "text": text}, current.output, text)
        return
    told = (
        f"{file}: {printing.counted(len(rows), 'key')}. To go on from a backup:"
        f"\n  oneco --data NEW-DIRECTORY up --from BACKUP --key {file}"
    )
    printing.show({"file": file, "keys": rows}, current.output, told)


@program.command("change")
def _change() -> None:
    """Make a new key and seal everything anew with it; the hub may run meanwhile.

    Can be ended at any time and typed again: it goes on where it was. Earlier keys are kept for
    the backups that were made with them. Export the keys again afterwards.
    """
    from oneco.main import keys

    current = session.current()
    data = current.data_directory()
    done = keys.change(data)
    name = keys.read(data).current.name
    counts = [{"database": place, "values": count} for place, count in done]
    total = printing.counted(sum(count for _, count in done), "value")
    text = f"{total} sealed anew; key {name} seals now. Export it: oneco keys export FILE"
    printing.show({"key": name, "databases": counts}, current.output, text)


for one in (_list, _export, _change):
    command.add_command(one)
