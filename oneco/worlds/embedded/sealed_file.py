"""One file that only the keys beside it open."""

from __future__ import annotations

import time
from pathlib import Path

from oneco.clock import Instant
from oneco.worlds.embedded.keys import KEYS_FILE, KeyFile, new_ring
from oneco.worlds.embedded.private_files import write_private
from oneco.worlds.embedded.sealing import NotOpened, Safe


class SealedFile:
    """A file bound to what it is `about`; its keys are made with the first content."""

    def __init__(self, path: Path, about: str) -> None:
        self._path, self._about = path, about.encode()
        self._keys = KeyFile(path.with_name(KEYS_FILE))
        self._safe: Safe | None = None

    def has_keys(self) -> bool:
        """Whether anything was ever sealed here."""
        return self._keys.exists()

    def read(self) -> bytes | None:
        """The content, None if there is none; NotOpened without the key that sealed it.

        Refused for a damaged file of keys: nothing could be written with it either.
        """
        try:
            sealed = self._path.read_bytes()
        except FileNotFoundError:
            return None
        if not self.has_keys():
            raise NotOpened(str(self._path), found="no file of keys beside it")
        return self._opened().open(sealed, self._about)

    def write(self, content: bytes) -> None:
        """Put `content` in the place of what is there, whole."""
        safe = self._opened()
        safe.refresh()
        write_private(self._path, safe.seal(content, self._about))

    def _opened(self) -> Safe:
        if self._safe is None:
            if not self.has_keys():
                self._keys.write(new_ring(Instant(time.time())))
            self._safe = Safe(self._keys)
        return self._safe
