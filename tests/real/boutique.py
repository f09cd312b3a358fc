"""The example application with pauses for a test: what its clusters run, seen from outside."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

from oneco.kube import objects
from oneco.kube.api import Api
from oneco.kube.errors import ApiOutage
from oneco.kube.objects import Object
from tests.real.following import PODS, following

EXAMPLE = Path(__file__).parents[2] / "examples" / "01-online-boutique"
NAME = "online-boutique"
BATCHES = (1, 2, 4)
"""Of the frontend's four pods, as the example's policy says."""
SILENCE_SECONDS = 2.0
IMAGES = {"v1": "v0.10.5", "v2": "v0.10.6", "v3-bad": "v0.10.7-bad"}
"""The tag of each version's frontend."""
_SERVICES = 10
_LABEL = "app.oam.dev/name"
_PAUSE = re.compile(r"((?:batch|wave)Silence|\bsilence): \d+m")


def write(folder: Path) -> dict[str, Path]:
    """The example's three versions with seconds of silence where it has minutes."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for version in IMAGES:
        text = (EXAMPLE / version / "application.yaml").read_text()
        files[version] = folder / f"{version}.yaml"
        files[version].write_text(_PAUSE.sub(rf"\1: {SILENCE_SECONDS:g}s", text))
    return files


@dataclasses.dataclass(slots=True)
class Exposure:
    """Of one version's frontend in one member: when there first were so many pods, and the most."""

    version: str
    reached: dict[int, float] = dataclasses.field(default_factory=dict)
    fewest_ready: int = BATCHES[-1]

    @property
    def most(self) -> int:
        """The most pods of this version that there ever were at once."""
        return max(self.reached, default=0)

    def see(self, pods: dict[str, Object]) -> None:
        """Take in what is there now."""
        living = [one for one in pods.values() if not objects.is_deleting(one)]
        frontends = [one for one in living if "/frontend:" in image(one)]
        new = [one for one in frontends if image(one).endswith(f":{IMAGES[self.version]}")]
        for count in range(1, len(new) + 1):
            self.reached.setdefault(count, time.monotonic())
        self.fewest_ready = min(self.fewest_ready, sum(map(is_ready, frontends)))

    def steps(self) -> list[float]:
        """The seconds from the last pod of a batch to the first pod of the next."""
        return [self.reached[size + 1] - self.reached[size] for size in BATCHES[:-1]]


@contextlib.asynccontextmanager
async def watched(member: Api, version: str) -> AsyncIterator[Exposure]:
    """The exposure of `version` in a member, kept up while the context lasts."""
    exposure = Exposure(version)
    async with following(member, exposure.see):
        yield exposure


async def runs(member: Api, version: str) -> bool:
    """Whether every pod of the shop is ready there, and of this version."""
    try:
        page = await member.list(PODS)
    except ApiOutage:
        return False
    ours = [one for one in page.items if objects.labels(one).get(_LABEL) == NAME]
    own = [one for one in ours if "redis" not in image(one)]
    services = {image(one).partition(":")[0] for one in own}
    good = [one for one in own if image(one).endswith(f":{IMAGES[version]}")]
    is_calm = all(is_ready(one) and not objects.is_deleting(one) for one in ours)
    return is_calm and len(services) == _SERVICES and len(good) == len(own)


def image(pod: Object) -> str:
    """The image of a pod."""
    return str(pod["spec"]["containers"][0]["image"])


def is_ready(pod: Object) -> bool:
    """Whether a pod is ready."""
    conditions = objects.dig(pod, "status", "conditions", default=())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
