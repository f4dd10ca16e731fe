"""Imports a file for an operator: uploads it in parts, starts the import and follows it. An interrupted upload is continued."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from services.gateway.admin import Admin, retry
from services.gateway.domain.file_samples import add_results, detect_encoding, samples

PART_BYTES = 4 * 1024 * 1024
PROPOSED_BYTES = 256 * 1024
"""The beginning of a CSV file from which its mapping is proposed."""
TRIED_BYTES = 8 * 1024 * 1024
"""The beginning of a file that a dry run reads."""
POLL_SECONDS = 0.5
RETRY_SECONDS = 60.0
"""How long a call is repeated while ingest is unavailable."""

OCTETS = {"content-type": "application/octet-stream"}

Advance = Callable[[int], None]
"""Called with the number of bytes that are done."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file to import, and how to read it."""

    path: Path
    connection: str | None
    format: str
    mapping: Json | None

    @property
    def settings(self) -> Json:
        """The fields of a request about it."""
        fields = {"connection": self.connection, "format": self.format, "mapping": self.mapping}
        return {name: value for name, value in fields.items() if value is not None}

    def parts(self) -> Iterator[tuple[int, bytes]]:
        """(number, content) of the parts in which it is uploaded."""
        with self.path.open("rb") as file:
            number = 0
            while content := file.read(PART_BYTES):
                number += 1
                yield number, content

    def digest(self) -> str:
        """SHA-256 of the file."""
        digest = sha256()
        for _, content in self.parts():
            digest.update(content)
        return digest.hexdigest()


class FileImporter:
    """Imports files of one tenant."""

    def __init__(self, admin: Admin, tenant: str) -> None:
        self._admin = admin
        self._tenant = tenant

    async def propose(self, path: Path) -> Json:
        """The proposed mapping of a CSV file, with notes."""
        with path.open("rb") as file:
            content = file.read(PROPOSED_BYTES)
        encoding = detect_encoding(content)
        proposal = await self._call("POST", "/v1/imports:propose", {"sample": content.decode(encoding, errors="ignore")})
        if encoding != "utf-8":
            proposal["mapping"]["encoding"] = encoding
        return proposal

    async def dry_run(self, source: ImportFile) -> Json:
        """The effect that an import of the first TRIED_BYTES would have. `bytes` is the number of bytes that were read."""
        total: Json | None = None
        encoding = (source.mapping or {}).get("encoding", "utf-8")
        with source.path.open("rb") as file:
            lines = _first_lines(file, TRIED_BYTES)
            for before, text in samples(lines, encoding, header=source.format == "csv"):
                result = await self._call("POST", "/v1/imports:dry-run", source.settings | {"sample": text})
                total = add_results(total, result, before)
            read = file.tell()
        return {**(total or {"rows": 0}), "bytes": read}

    async def upload(self, source: ImportFile, advance: Advance) -> Json:
        """Upload the file and start its import; continues an import of the same file that was interrupted. Returns the import."""
        digest = await asyncio.to_thread(source.digest)
        job = await self._unfinished(source, digest)
        if job is None:
            job = await self._call("POST", "/v1/imports", source.settings | {"sha256": digest})
        if job["state"] != "uploading":
            return job
        stored = {part["number"]: part for part in (await self._call("GET", f"/v1/imports/{job['id']}/parts"))["parts"]}
        done = 0
        for number, content in source.parts():
            if stored.get(number, {}).get("sha256") != sha256(content).hexdigest():
                await self._call("PUT", f"/v1/imports/{job['id']}/parts/{number}", content)
            done += len(content)
            advance(done)
        return await self._call("POST", f"/v1/imports/{job['id']}:start")

    async def follow(self, job: Json, advance: Advance) -> Json:
        """Wait until the import has ended. Returns it."""
        while job["state"] == "running":
            await asyncio.sleep(POLL_SECONDS)
            job = await self._call("GET", f"/v1/imports/{job['id']}")
            advance(job["bytes_read"])
        return job

    async def errors(self, job: Json) -> bytes:
        """The rejected records of an import as CSV."""
        answer = await self._admin.ingest.call("GET", f"/v1/imports/{job['id']}/errors", tenant=self._tenant)
        return answer.content

    async def _unfinished(self, source: ImportFile, digest: str) -> Json | None:
        """The import of the same file with the same settings that is being uploaded or running."""
        for state in ("running", "uploading"):
            for job in (await self._call("GET", "/v1/imports", query=f"state={state}"))["items"]:
                same = (job["sha256"], job["format"], job["mapping"]) == (digest, source.format, source.mapping)
                if same and source.connection in (None, job["connection"]):
                    return dict(job)
        return None

    async def _call(self, method: str, path: str, body: bytes | Mapping[str, Any] | None = None, query: str = "") -> Json:
        """Call ingest, and repeat the call while ingest is unavailable.

        A repeated call is harmless. At worst an import is created twice; the one without uploads is cancelled after a week.
        """
        content = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        headers = OCTETS if isinstance(body, bytes) else {"content-type": "application/json"}
        answers: list[Json] = []

        async def attempt() -> None:
            answers.append(await self._admin.call_ingest(self._tenant, method, path, query=query, headers=headers, body=content))

        await retry(attempt, RETRY_SECONDS, pause=1.0)
        return answers[-1]


def _first_lines(file: Any, size: int) -> Iterator[bytes]:
    """The lines of the first `size` bytes."""
    read = 0
    for line in iter(partial(file.readline, size), b""):
        read += len(line)
        yield line
        if read >= size:
            return


def read_mapping(path: Path) -> Json:
    """A mapping file: JSON, of the mapping itself or of a proposal. Raises ValueError."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError("a JSON object is expected")
    mapping = content.get("mapping", content)
    if not isinstance(mapping, dict):
        raise ValueError("mapping: a JSON object is expected")
    return mapping


__all__ = ["FileImporter", "ImportFile", "read_mapping"]
