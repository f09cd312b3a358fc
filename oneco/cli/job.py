"""`./dev run`: a whole company in one command, on a fleet of its own.

A real shop is delivered to every cluster of a fleet, its next version is released wave by wave
with time sped up, and a bad one after that is stopped and rolled back.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from pathlib import Path

import click
import msgspec

from oneco.cli import failures, following, reading
from oneco.cli.tree import Application
from oneco.clock import Clock, Instant
from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.parts import parse
from oneco.kinds.release import UNITS, UnitStatus
from oneco.kube import documents, objects
from oneco.kube.api import WriteOptions
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.main.connecting import wall_clock
from oneco.main.up import Finished, Running, UpOptions, up

EXAMPLE = Path(__file__).parents[2] / "examples" / "01-online-boutique"
_SPEED = 150.0
"""An hour of waves passes in 24 seconds."""
_LOOK_SECONDS = 0.1
_STEPS = (
    ("v1", "The shop is delivered to every cluster at once"),
    ("v2", "Its next version is released, wave by wave"),
    ("v3-bad", "A bad version is released, stopped and rolled back"),
)


class Told(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the whole job came to: the JSON of `./dev run --once -o json`."""

    application: str
    clusters: int
    updated: int
    waves: int
    rolled_back: bool
    seconds: int


@dataclasses.dataclass(slots=True)
class Job:
    """One run of the job over a hub that is up."""

    hub: Running
    is_quiet: bool
    real: Clock
    began: Instant

    async def run(self) -> Told:
        """Deliver, release, survive; what came of it."""
        self.say(f"A hub and {len(self.hub.kubeconfigs)} clusters are up.")
        ends = {name: await self._step(name, title) for name, title in _STEPS}
        end = ends["v3-bad"]
        return Told(
            application=end.name,
            clusters=len(self.hub.kubeconfigs),
            updated=await self._count_running(ends["v2"].revision),
            waves=len(ends["v2"].releases[0].waves),
            rolled_back=end.releases[0].phase == "RolledBack",
            seconds=round(self.real.now() - self.began),
        )

    def say(self, text: str) -> None:
        """Tell the person something, unless a program is listening."""
        if not self.is_quiet:
            click.echo(text)

    async def _step(self, name: str, title: str) -> Application:
        self.say(f"\n{title} ({name}).")
        application = _application(EXAMPLE / name / "application.yaml")
        place = objects.namespace(application) or "default", objects.name(application)
        before = len(await reading.releases(self.hub.api, *place))
        address = Address(APPLICATIONS, *place)
        await self.hub.api.apply(address, application, WriteOptions(manager="oneco", force=True))
        clock = self.real
        while len(await reading.releases(self.hub.api, *place)) == before:
            await clock.sleep_until(Instant(clock.now() + _LOOK_SECONDS))
        with following.showing("json" if self.is_quiet else "text") as show:
            return await following.follow(self.hub.api, clock, place, show)

    async def _count_running(self, revision: str) -> int:
        """The clusters whose units last ended well with `revision`."""
        page = await self.hub.api.list(Address(UNITS))
        units = [parse(UnitStatus, one.get("status"), "status") for one in page.items]
        return sum(1 for one in units if one.good is not None and one.good.revision == revision)


def _application(path: Path) -> Object:
    found = documents.read_files([path])
    return next(one.object for one in found if one.object["kind"] == "Application")


@click.command()
@click.option("--once", is_flag=True, help="End when all is done instead of staying up.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text")
@click.option("--speed", type=float, default=_SPEED, show_default=True, help="How fast time runs.")
def command(once: bool, output: str, speed: float) -> None:
    """Deliver a shop to a fleet, release its next version, and survive a bad one."""
    is_quiet = output == "json"

    async def ready(hub: Running) -> None:
        job = Job(hub, is_quiet, real, began)
        told = await job.run()
        if is_quiet:
            click.echo(msgspec.json.encode(told).decode())
        else:
            job.say(_summary(told))
        if once:
            raise Finished
        job.say(_look_around(hub))

    real = wall_clock()
    began = real.now()
    with tempfile.TemporaryDirectory(prefix="oneco-") as folder:
        fleet = (EXAMPLE / "fleet.yaml", EXAMPLE / "faults.yaml")
        up(UpOptions(data=Path(folder), fleet=fleet, speed=speed), ready)


def _summary(told: Told) -> str:
    rolled = "was stopped and rolled back" if told.rolled_back else "was NOT rolled back"
    return (
        f"{told.updated} of {told.clusters} clusters run the new version of {told.application}, "
        f"released in {told.waves} waves; the bad version {rolled}. {told.seconds} s."
    )


def _look_around(hub: Running) -> str:
    first = next(iter(hub.kubeconfigs))
    rows = [
        f"  {name:<16} {path}" for name, path in (("hub", hub.kubeconfig), *hub.kubeconfigs.items())
    ]
    commands = (
        f"  .venv/bin/oneco --kubeconfig {hub.kubeconfig} status online-boutique",
        f"  kubectl --kubeconfig {hub.kubeconfig} get releases,releaseunits -A",
        f"  kubectl --kubeconfig {hub.kubeconfigs[first]} get deployments,pods",
    )
    return "\n".join(
        ("\nKubeconfigs:", *rows, "\nLook around:", *commands, "\nCtrl-C ends it all.")
    )


def main() -> None:
    """The whole job as a program; failures are told as the command `oneco` tells them."""
    try:
        command.main(standalone_mode=False)
    except Exception as error:
        sys.exit(failures.answer(error, sys.argv[1:]))
