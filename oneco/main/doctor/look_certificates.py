"""Looking at certificates on this disk and at the port of a hub."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import yaml

from oneco.integrations.x509 import certificates, requests
from oneco.main.doctor import look_disk
from oneco.main.doctor.facts import Certificate, Holder, Port

_PATIENCE_SECONDS = 2.0
_RESTORE = "oneco --data NEW-DIRECTORY up --from BACKUP --key KEYS"
_JOIN = "oneco clusters join NAME --to FILE on the hub, then oneco agent --join FILE"
_LISTENS = "0A"


def of_hub(data: Path) -> Iterator[Certificate]:
    """The certificates that a hub's directory holds."""
    pki = data / "pki"
    yield _read("the authority", pki / "ca.crt", _RESTORE, key=pki / "ca.key")
    restart = "restart the hub: oneco up    (each start renews it)"
    if (pki / "server.crt").exists():
        yield _read("the server", pki / "server.crt", restart, key=pki / "server.key")
    if (data / "kubeconfig").exists():
        yield _of_kubeconfig(data / "kubeconfig", restart)


def of_agent(data: Path) -> Iterator[Certificate]:
    """The certificate of an agent's directory."""
    yield _read("the agent", data / "hub.pem", _JOIN, key=data / "hub.pem")


def port(data: Path) -> Port | None:
    """The port of the hub's last start, and what listens there; None where it never started."""
    file = data / "port"
    text = file.read_text().strip() if file.exists() else ""
    if not text.isdecimal():
        return None
    number = int(text)
    try:
        with socket.create_connection(("127.0.0.1", number), timeout=_PATIENCE_SECONDS) as reached:
            is_ours = _is_ours(reached, data / "pki" / "ca.crt")
    except OSError:
        return Port(number=number, is_listening=False)
    process = _listener(number)
    listener = Holder(process=process, program=look_disk.program(process))
    return Port(number=number, is_listening=True, is_ours=is_ours, holder=listener)


def _is_ours(reached: socket.socket, authority: Path) -> bool:
    try:
        context = ssl.create_default_context(cafile=str(authority))
        with context.wrap_socket(reached, server_hostname="localhost"):
            return True
    except ssl.SSLCertVerificationError as failure:
        # One of ours that has ended is still ours; its end is told by another check.
        return "expired" in str(failure)
    except (OSError, ValueError):
        return False


def _read(what: str, path: Path, renewed_by: str, *, key: Path) -> Certificate:
    try:
        pem = path.read_bytes()
        found = certificates.read(pem)
        error = "" if requests.is_of(pem, key.read_bytes()) else f"{key.name} is of another one"
    except (OSError, ValueError) as failure:
        said = failure.strerror if isinstance(failure, OSError) else "damaged"
        error = f"it, or {key.name}, cannot be read ({str(said).lower()})"
        return Certificate(what=what, path=str(path), error=error, renewed_by=renewed_by)
    return Certificate(
        what=what,
        path=str(path),
        error=error,
        renewed_by=renewed_by,
        begins=found.begins,
        ends=found.ends,
    )


def _of_kubeconfig(path: Path, renewed_by: str) -> Certificate:
    what = "the person at this machine"
    try:
        user = yaml.safe_load(path.read_bytes())["users"][0]["user"]
        found = certificates.read(base64.b64decode(user["client-certificate-data"]))
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError):
        error = "it cannot be read"
        return Certificate(what=what, path=str(path), error=error, renewed_by=renewed_by)
    return Certificate(
        what=what,
        path=str(path),
        error="",
        renewed_by=renewed_by,
        begins=found.begins,
        ends=found.ends,
    )


def _listener(number: int) -> int:
    """The process that listens on a port of this machine, as far as one may see it; else 0."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(number)}
    for folder in Path("/proc").glob("[0-9]*/fd") if sockets else ():
        with contextlib.suppress(OSError):
            for one in folder.iterdir():
                with contextlib.suppress(OSError):
                    if str(one.readlink()) in sockets:
                        return int(folder.parent.name)
    return 0


def _inodes(number: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                cells = row.split()
                if int(cells[1].rpartition(":")[2], 16) == number and cells[3] == _LISTENS:
                    yield cells[9]
