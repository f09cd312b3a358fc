"""The credential of one user, kept fresh: token files are read again, programs asked again."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from oneco.kube.errors import Unauthorized
from oneco.worlds.cluster import exec_plugin
from oneco.worlds.cluster.exec_plugin import Credential
from oneco.worlds.cluster.target import Target

# A credential that ends while its request is on the way would be refused.
_MARGIN_SECONDS = 5.0

FileStamp = tuple[int, int, int]


def file_stamp(path: str) -> FileStamp | None:
    """What changes when the file at `path` is replaced or written; None where there is none."""
    try:
        seen = os.stat(path)
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino


class Credentials:
    """Answers which credential the next request carries."""

    def __init__(self, target: Target) -> None:
        self._user, self._cluster = target.user, target.cluster
        self._held: Credential | None = None
        self._stamp: FileStamp | None = None
        self._turn = asyncio.Lock()

    async def current(self) -> Credential:
        """The credential to use now; asks the program if there is none or it has run out."""
        if self._user.token_file:
            return self._from_file()
        if self._user.exec_plugin is None:
            self._held = self._held or Credential(token=self._user.token)
            return self._held
        if _is_fresh(self._held):
            assert self._held is not None
            return self._held
        async with self._turn:
            return await self._from_program()

    async def renew(self, refused: Credential) -> Credential | None:
        """Another credential after the server refused this one; None where there is no other."""
        if self._user.token_file:
            self._stamp = None
            again = self._from_file()
            return again if again.token != refused.token else None
        if self._user.exec_plugin is None:
            return None
        async with self._turn:
            # Many requests are refused at once when a token ends; the first one asks for all.
            if self._held is refused:
                self._held = None
            return await self._from_program()

    async def _from_program(self) -> Credential:
        assert self._user.exec_plugin is not None
        if self._held is None or not _is_fresh(self._held):
            self._held = await exec_plugin.run(self._user.exec_plugin, self._cluster)
        return self._held

    def _from_file(self) -> Credential:
        path = self._user.token_file
        stamp = file_stamp(path)
        if self._held is not None and (stamp is None or stamp == self._stamp):
            # A file that is just being replaced is absent for a moment.
            return self._held
        try:
            token = Path(path).read_text().strip()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise Unauthorized(f"{self._user.where}: token file {path}: {reason}") from None
        except UnicodeDecodeError:
            raise Unauthorized(f"{self._user.where}: token file {path} holds no text") from None
        if self._held is None or token != self._held.token:
            self._held = Credential(token=token)
        self._stamp = stamp
        return self._held


def _is_fresh(credential: Credential | None) -> bool:
    if credential is None:
        return False
    ends = credential.expires_at
    return ends is None or time.time() < ends - _MARGIN_SECONDS
