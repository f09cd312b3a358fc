"""Each fault is really planted, and the doctor names it with the command that mends it."""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from oneco.clock import Instant
from oneco.main import keys
from oneco.main.backup import backup, restore
from oneco.main.doctor.examining import CHECKS, Patient, examine
from oneco.main.doctor.examining import facts as facts_seen
from oneco.main.doctor.findings import Finding
from oneco.worlds.clocks import RealClock, StepClock
from oneco.worlds.embedded.migrations import STEPS
from oneco.worlds.embedded.ownership import FileOwner
from oneco.worlds.embedded.sealed_file import SealedFile
from tests.embedded.servers import a_server

NOBODY = 65534
is_root = os.geteuid() == 0


@pytest.fixture(scope="module")
def healthy(tmp_path_factory) -> Path:
    """The directory of a hub that ran, ended well, and whose key was exported."""
    place = tmp_path_factory.mktemp("healthy") / "hub"
    with a_server(place):
        pass
    keys.export(place, None)
    return place


@pytest.fixture
def hub(healthy, tmp_path) -> Path:
    """A copy of it, to plant a fault in."""
    shutil.copytree(healthy, tmp_path / "hub")
    return tmp_path / "hub"


def found(data: Path, **more) -> dict[str, Finding]:
    """What the doctor says, but for the hub's being down, which these tests know."""
    rows = [
        one for one in examine(Patient(data=data, **more)).findings if one.code != "HubNotRunning"
    ]
    return {one.code: one for one in rows}


def only(data: Path, code: str, **more) -> Finding:
    """The one finding that there has to be."""
    rows = found(data, **more)
    assert list(rows) == [code], rows
    return rows[code]


def ask_sql(data: Path, *statements: str) -> None:
    database = sqlite3.connect(data / "objects.db", isolation_level=None)
    for statement in statements:
        database.execute(statement)
    database.close()


def test_a_hub_that_is_only_down_is_told_so_and_nothing_else(hub):
    before = {one: one.read_bytes() for one in hub.rglob("*") if one.is_file()}
    (finding,) = examine(Patient(data=hub)).findings
    assert (finding.code, finding.weight) == ("HubNotRunning", "warning")
    assert finding.command == f"oneco --data {hub} up"
    assert {one: one.read_bytes() for one in hub.rglob("*") if one.is_file()} == before


def test_a_directory_without_data(tmp_path):
    assert only(tmp_path, "NoData").command.startswith("oneco up")


def test_checks_that_had_nothing_to_look_at_are_not_said_to_have_passed(hub, tmp_path):
    nothing = examine(Patient(data=tmp_path / "nothing"))
    # That the place is there and may be read is all that can be asked.
    assert (nothing.passed, nothing.failed, nothing.idle) == (1, 1, len(CHECKS) - 2)
    down = examine(Patient(data=hub))
    seen = facts_seen(Patient(data=hub))
    assert [check.judge.__name__ for check in CHECKS if not check.applies(seen)] == [
        "agent_not_running", "intent_unreadable", "clocks_differ", "hub_unreachable",
        "nobody_works", "kinds_missing", "member_unreachable", "agent_silent", "not_accepted",
        "not_confirmed", "agent_certificate_ends", "version_differs", "join_unfinished",
    ]  # fmt: skip
    assert (down.failed, down.idle) == (1, 13)
    assert down.passed + down.failed + down.idle == len(CHECKS)


def test_a_fault_is_counted_once_however_much_it_strikes(hub):
    for name in ("ca", "server"):
        plant_certificate(hub, name, 3)
    seen = examine(Patient(data=hub))
    assert len([one for one in seen.findings if one.code == "CertificateEnds"]) == 2
    # Beside it, that the hub is down.
    assert seen.failed == 2


def test_the_counts_are_shown_to_people_and_programs(hub):
    def said(*words: str) -> str:
        whole = [sys.executable, "-m", "oneco", "--data", str(hub), *words]
        done = subprocess.run(whole, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    text = said("doctor").splitlines()[-1]
    assert (
        text == f"{len(CHECKS) - 14} checks passed, 1 found something, 13 had nothing to look at."
    )
    counts = json.loads(said("doctor", "-o", "json"))["checks"]
    assert counts == {"passed": len(CHECKS) - 14, "failed": 1, "notApplicable": 13}


# ------------------------------------------------------------------ disk


@contextlib.contextmanager
def as_nobody(hub: Path) -> Iterator[tuple[Callable[[], str], Path]]:
    """The data in a place that anybody reaches, and how the doctor judges it as another user."""
    with tempfile.TemporaryDirectory() as text:
        os.chmod(text, 0o755)
        place = Path(text, "hub")
        shutil.copytree(hub, place)
        for one in [place, *place.rglob("*")] if is_root else ():
            os.chown(one, NOBODY, NOBODY)
        yield lambda: judged_by_another(place), place
        place.chmod(0o700)


def judged_by_another(place: Path) -> str:
    # Once as oneself: another user may not even read the modules that it needs.
    examine(Patient(data=place))
    said = place.with_name("said")
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException), open(said, "w") as file:
            if is_root:
                os.setuid(NOBODY)
            for one in examine(Patient(data=place)).findings:
                print(one.code, one.command.replace(str(place), "DATA"), file=file)
        os._exit(0)
    os.waitpid(child, 0)
    return said.read_text()


def test_a_directory_that_nobody_may_write_to(hub):
    hub.chmod(0o500)
    with as_nobody(hub) as (judged, _):
        assert "DirectoryNotWritable chmod u+rwx DATA" in judged()


@pytest.mark.skipif(not is_root, reason="only root gives files to others")
@pytest.mark.parametrize(("name", "code"), [("objects.db", "OwnedByAnother"), (".", "NotReadable")])
def test_a_file_of_another_user(hub, name, code):
    with as_nobody(hub) as (judged, place):
        os.chown(place / name, 1, 1)
        (place / name).chmod(0o700)
        assert f"{code} sudo chown -R $(id -u) DATA" in judged()


@contextlib.contextmanager
def a_small_disk(place: Path, size: str) -> Iterator[None]:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk(hub, tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    with a_small_disk(place, "2m"):
        shutil.copytree(hub, place / "hub")
        finding = only(place / "hub", "DiskFull")
        with contextlib.suppress(OSError):
            (place / "filling").write_bytes(b"x" * (2 << 20))
        assert "0 MiB are free" in only(place / "hub", "DiskFull").message
    assert finding.command.startswith("df -h")


def test_a_disk_that_does_not_flush(hub):
    def failing(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    finding = only(hub, "FlushFails", flush=failing)
    assert "input/output error" in finding.message


@pytest.mark.parametrize("name", ["keys", "objects.db", "pki/ca.key", "kubeconfig"])
def test_a_secret_file_that_others_may_read(hub, name):
    (hub / name).chmod(0o644)
    assert only(hub, "ReadableByOthers").command == f"chmod 600 {hub / name}"


def test_parts_of_files_that_a_kill_left(hub):
    (hub / "objects.db.partial").write_bytes(b"half")
    assert only(hub, "LeftOver").command == f"rm {hub / 'objects.db.partial'}"


def test_a_process_that_holds_the_data_and_does_not_serve_it(hub):
    code = (
        "import pathlib, sys, time; from oneco.worlds.embedded.ownership import FileOwner\n"
        "owner = FileOwner(pathlib.Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(hub / "objects.db.lock")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        finding = only(hub, "HeldByAnother")
        assert finding.command == f"kill {process.pid}"
    finally:
        process.kill()
        process.communicate()


# ------------------------------------------------------------------ keys and database


def test_keys_that_are_gone(hub):
    (hub / "keys").unlink()
    assert only(hub, "KeysMissing").command == f"install -m 600 EXPORTED-KEYS {hub / 'keys'}"


def test_keys_of_another_hub(hub, tmp_path):
    with a_server(tmp_path / "other"):
        pass
    keys.export(tmp_path / "other", None)
    os.replace(tmp_path / "other" / "keys", hub / "keys")
    assert "sealed this data" in only(hub, "KeysOfOtherData").message


def test_keys_that_are_damaged(hub):
    secret = (hub / "keys").read_text().split()[-2]
    (hub / "keys").write_text((hub / "keys").read_text().replace(secret, secret[:-4]))
    finding = only(hub, "KeysDamaged")
    assert secret[:-4] not in str(finding)


def test_keys_that_nobody_ever_exported(hub):
    (hub / "keys").write_text((hub / "keys").read_text().replace(" exported", ""))
    finding = only(hub, "KeysNeverExported")
    assert (finding.weight, finding.command) == ("warning", "oneco keys export FILE")


def test_a_change_of_keys_that_was_cut_off(hub):
    ask_sql(hub, "UPDATE meta SET value = '0123456789abcdef ' || value WHERE name = 'sealed'")
    with open(hub / "keys") as file:
        lines = file.readlines()
    assert "KeysOfOtherData" in found(hub), lines
    finding = found(hub)["KeyChangeUnfinished"]
    assert finding.command == "oneco keys change"


def test_a_key_that_has_sealed_a_thousand_million_values(hub):
    ask_sql(hub, "UPDATE log SET revision = 2000000000 WHERE revision = (SELECT max(revision) FROM"
            " log WHERE value IS NULL)",
            "INSERT OR IGNORE INTO log VALUES (2000000000, 0, '/x', '', 'x', NULL)")  # fmt: skip
    assert only(hub, "KeyWorn").command == "oneco keys change"


def test_a_page_of_the_database_that_is_damaged(hub):
    content = bytearray((hub / "objects.db").read_bytes())
    content[8192:12288] = b"\xff" * 4096
    (hub / "objects.db").write_bytes(content)
    assert "up --from BACKUP --key KEYS" in only(hub, "DatabaseDamaged").command


def test_a_database_that_is_none(hub):
    (hub / "objects.db").write_bytes(b"something else" * 1000)
    assert "not a database" in only(hub, "DatabaseDamaged").message


def test_a_value_that_somebody_changed(hub):
    ask_sql(
        hub,
        "UPDATE log SET value = CAST(substr(value, 1, 40) || x'0000' || substr(value, 43) AS BLOB)"
        " WHERE collection = '/namespaces' AND name = 'default'",
    )
    finding = only(hub, "ValuesChanged")
    assert finding.message.startswith("/namespaces/default/")


def test_a_database_of_a_newer_oneco(hub):
    ask_sql(hub, "INSERT INTO schema_version VALUES (99)")
    assert only(hub, "DatabaseNewer").command.startswith("pip install --upgrade")


def test_the_plain_data_of_an_older_oneco(hub):
    (hub / "objects.db").unlink()
    ask_sql(hub, *STEPS[0], "CREATE TABLE schema_version (version INTEGER PRIMARY KEY)")
    ask_sql(hub, "INSERT INTO schema_version VALUES (1)")
    (hub / "objects.db").chmod(0o600)
    assert only(hub, "NotSealed").command.startswith("oneco up")


def test_a_log_that_was_never_taken_in(hub):
    code = (
        "import os, sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute('PRAGMA journal_mode=WAL')\n"
        "database.execute('PRAGMA wal_autocheckpoint=0')\n"
        "database.execute('PRAGMA synchronous=OFF')\n"
        "database.execute('CREATE TABLE filling (x BLOB)')\n"
        "for _ in range(7): database.execute('INSERT INTO filling VALUES (zeroblob(10000000))')\n"
        "database.execute('DELETE FROM filling')\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(hub / "objects.db")], check=True, timeout=60)
    (hub / "objects.db-wal").chmod(0o600)
    assert only(hub, "LogLarge").command.startswith("oneco up")


def test_a_copy_that_waits_to_be_confirmed(hub, tmp_path):
    keys.export(hub, tmp_path / "keys")
    backup(hub, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "new", tmp_path / "keys")
    assert only(tmp_path / "new", "IsCopy").command == "oneco up, then oneco clusters confirm --all"


# ------------------------------------------------------------------ certificates, ports, clocks


def a_certificate(days: float, name: str = "x") -> tuple[bytes, bytes]:
    """A certificate of a year that ends in so many days, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signed = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
        .public_key(key.public_key()).serial_number(7)
        .not_valid_before(ends - datetime.timedelta(days=365)).not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    form = serialization.Encoding.PEM
    private = key.private_bytes(
        form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signed.public_bytes(form), private


def plant_certificate(hub: Path, name: str, days: float) -> None:
    certificate, key = a_certificate(days)
    (hub / "pki" / f"{name}.crt").write_bytes(certificate)
    (hub / "pki" / f"{name}.key").write_bytes(key)


def test_an_authority_that_has_ended(hub):
    plant_certificate(hub, "ca", -1)
    assert only(hub, "CertificateEnded").message.startswith("the authority: its certificate has")


def test_a_server_certificate_about_to_end(hub):
    plant_certificate(hub, "server", 5)
    finding = only(hub, "CertificateEnds")
    assert (finding.weight, "restart the hub" in finding.command) == ("warning", True)


def test_a_key_of_another_certificate(hub):
    (hub / "pki" / "ca.key").write_bytes(a_certificate(300)[1])
    assert "ca.key is of another one" in only(hub, "CertificateUnreadable").message


def test_a_certificate_that_cannot_be_read(hub):
    (hub / "pki" / "ca.crt").write_text("nonsense")
    assert "up --from BACKUP" in only(hub, "CertificateUnreadable").command


def test_a_clock_that_was_set_back(hub):
    before = StepClock(Instant(RealClock().now() - 86_400))
    assert only(hub, "ClockBehind", clock=before).command == "timedatectl set-ntp true"


def test_a_port_that_another_program_took(hub):
    code = (
        "import socket, sys, time\n"
        "taken = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print('up', flush=True)\n"
        "time.sleep(60)"
    )
    port = (hub / "port").read_text()
    process = subprocess.Popen(
        [sys.executable, "-c", code, port], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        finding = only(hub, "PortTaken")
        assert finding.about == f"127.0.0.1:{port}"
        assert finding.command == f"kill {process.pid}"
    finally:
        process.kill()
        process.communicate()


# ------------------------------------------------------------------ an agent's directory


@pytest.fixture
def agent(tmp_path) -> Path:
    """The directory of an agent whose hub does not answer."""
    place = tmp_path / "agent"
    place.mkdir(mode=0o700)
    certificate, key = a_certificate(300, "system:open-cluster-management:c1:a")
    (place / "hub.pem").write_bytes(certificate + key)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (place / "hub.kubeconfig").write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n"
        "- name: c\n  context: {cluster: h, user: u, namespace: c1}\nclusters:\n"
        f"- name: h\n  cluster: {{server: 'https://127.0.0.1:{port}'}}\nusers:\n- name: u\n"
        "  user: {client-certificate: hub.pem, client-key: hub.pem}\n"
    )
    (place / "agent.lock").write_text("1\n")
    SealedFile(place / "intent", "intent of c1").write(b"{}")
    for one in place.iterdir():
        one.chmod(0o600)
    return place


def test_an_agent_that_is_down_with_a_kubeconfig_that_leads_nowhere(agent):
    rows = found(agent)
    assert list(rows) == ["HubUnreachable", "AgentNotRunning"]
    assert rows["AgentNotRunning"].command == f"oneco agent --data {agent}"


def test_an_agent_that_runs(agent):
    owner = FileOwner(agent / "agent.lock")
    try:
        # A lock of this very process does not keep it out of itself; another one sees it held.
        with open(agent / "agent.lock") as other, pytest.raises(OSError):
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        assert list(found(agent)) == ["HubUnreachable"]
    finally:
        owner.release()


def test_an_agents_certificate_that_has_ended(agent):
    certificate, key = a_certificate(-2)
    (agent / "hub.pem").write_bytes(certificate + key)
    assert "oneco clusters join" in found(agent)["CertificateEnded"].command


def test_an_intent_that_no_key_opens(agent):
    (agent / "keys").unlink()
    SealedFile(agent / "other", "x").write(b"{}")
    rows = found(agent)
    assert "the hub says it again" in rows["IntentUnreadable"].command


def test_a_join_that_came_to_nothing(agent):
    (agent / "hub.pem").unlink()
    (agent / "joining.json").write_text("{}")
    (agent / "joining.json").chmod(0o600)
    assert "--join INVITATION" in found(agent)["JoinUnfinished"].command
