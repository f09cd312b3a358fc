"""Which lists and watches are served and which refused: the embedded server beside the real one.

client-go asks for lists as watches that begin with what is there; a server serves that or refuses
it, and never ignores it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any

import aiohttp

from oneco.worlds.cluster import kubeconfig
from oneco.worlds.cluster.exec_plugin import Credential
from oneco.worlds.cluster.tls import TlsContexts
from tests.embedded.servers import a_server

PATH = "/api/v1/namespaces/default/secrets"
CHOICES = {
    "watch": (None, "true"),
    "sendInitialEvents": (None, "true", "false"),
    "resourceVersionMatch": (None, "Exact", "NotOlderThan", "Sometimes"),
    "resourceVersion": (None, "0"),
    "allowWatchBookmarks": (None, "true"),
}


def queries() -> list[dict[str, str]]:
    """Every combination."""
    rows = itertools.product(*CHOICES.values())
    return [
        {name: value for name, value in zip(CHOICES, row, strict=True) if value is not None}
        for row in rows
    ]


async def answers(file: Path) -> list[tuple[int, str, list[str]]]:
    """Status, message, and what the first events of a watch were, for every combination."""
    target = kubeconfig.load(str(file))
    context = TlsContexts(target).current(Credential())
    async with aiohttp.ClientSession() as session:
        secret = {"metadata": {"generateName": "one-"}}
        async with session.post(target.cluster.server + PATH, json=secret, ssl=context) as made:
            assert made.status == 201, await made.text()

        async def ask(query: dict[str, str]) -> tuple[int, str, list[str]]:
            url = target.cluster.server + PATH
            asked = {**query, "timeoutSeconds": "1"}
            async with session.get(url, params=asked, ssl=context) as answer:
                text = await answer.text()
                if answer.status != 200:
                    return answer.status, json.loads(text)["message"], []
                return 200, "", _events(text) if "watch" in query else []

        return [await ask(query) for query in queries()]


def _events(text: str) -> list[str]:
    rows: list[Any] = [json.loads(line) for line in text.splitlines() if line]
    return [_told(row) for row in rows]


def _told(row: Any) -> str:
    meta = row["object"]["metadata"]
    is_end = "k8s.io/initial-events-end" in (meta.get("annotations") or {})
    return f"{row['type']} end" if is_end else str(row["type"])


def test_the_same_lists_and_watches_are_served_and_refused(real_cluster, tmp_path):
    real = asyncio.run(answers(real_cluster.kubeconfig))
    with a_server(tmp_path / "embedded") as server:
        ours = asyncio.run(answers(server.kubeconfig_path))
    different = [
        (query, there, here)
        for query, there, here in zip(queries(), real, ours, strict=True)
        if there != here
    ]
    assert not different, "\n".join(f"{q}\n  real {t}\n  ours {h}" for q, t, h in different)
