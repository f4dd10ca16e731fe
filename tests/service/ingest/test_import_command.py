"""The client behind `earshot import`, against ingest: it proposes, tries, uploads, continues and follows."""

import json
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pytest

from services.gateway import importing
from services.gateway.admin import Admin
from services.gateway.importing import FileImporter, ImportFile, read_mapping
from tests.service.ingest.client import IngestClient
from tests.unit.ingest.making import nps, response

CSV = "ID,Created at,NPS,Why\n" + "".join(f"{n},2026-11-20T10:00:00Z,{n % 11},A reason\n" for n in range(300))


class FakeAdmin:
    """Calls ingest as `Admin` does. After `calls_left` calls the operator interrupts."""

    def __init__(self, client: IngestClient) -> None:
        self.client = client
        self.calls: list[str] = []
        self.calls_left = 1_000_000
        self.ingest = self

    async def call_ingest(
        self, tenant: str, method: str, path: str, *, query: str, headers: dict[str, str], body: bytes
    ) -> dict[str, Any]:
        if not self.calls_left:
            raise KeyboardInterrupt
        self.calls_left -= 1
        self.calls.append(f"{method} {path}")
        answer = await self.client.call(method, path, params=query or None, headers=headers, content=body)
        assert answer.status_code < 300, answer.text
        content: dict[str, Any] = msgspec.json.decode(answer.content)
        return content

    async def call(self, method: str, path: str, *, tenant: str) -> httpx.Response:
        return await self.client.call(method, path)


@pytest.fixture
def admin(ingest: IngestClient, monkeypatch: pytest.MonkeyPatch) -> FakeAdmin:
    monkeypatch.setattr(importing, "PART_BYTES", 1_000)
    monkeypatch.setattr(importing, "POLL_SECONDS", 0.02)
    return FakeAdmin(ingest)


@pytest.fixture
def importer(admin: FakeAdmin) -> FileImporter:
    return FileImporter(cast(Admin, admin), admin.client.tenant)


async def test_a_csv_file_is_proposed_tried_and_imported(importer: FileImporter, tmp_path: Path) -> None:
    file, mapping = tmp_path / "answers.csv", tmp_path / "mapping.json"
    file.write_text(CSV)
    proposal = await importer.propose(file)
    assert proposal["complete"]
    mapping.write_text(json.dumps(proposal))
    source = ImportFile(file, None, "csv", read_mapping(mapping))
    trial = await importer.dry_run(source)
    assert (trial["rows"], trial["new"], trial["rejected"], trial["bytes"]) == (300, 300, 0, len(CSV))
    done: list[int] = []
    job = await importer.upload(source, done.append)
    job = await importer.follow(job, done.append)
    assert (job["state"], job["accepted"], done[-1]) == ("done", 300, len(CSV))
    assert (await importer.errors(job)).startswith(b"line,field,reason")


async def test_an_interrupted_upload_is_continued_without_sending_its_parts_again(
    importer: FileImporter, admin: FakeAdmin, tmp_path: Path
) -> None:
    file = tmp_path / "history.ndjson"
    file.write_text("".join(json.dumps(response(nps(), id=f"r-{n}")) + "\n" for n in range(50)))
    source = ImportFile(file, None, "ndjson", None)
    admin.calls_left = 7
    with pytest.raises(KeyboardInterrupt):
        await importer.upload(source, lambda done: None)
    uploaded = [call for call in admin.calls if call.startswith("PUT")]
    assert len(uploaded) == 3
    admin.calls_left = 1_000_000
    job = await importer.follow(await importer.upload(source, lambda done: None), lambda done: None)
    assert (job["state"], job["accepted"]) == ("done", 50)
    puts = [call for call in admin.calls if call.startswith("PUT")]
    assert len(puts) == len({*puts}) == job["parts"]
    assert admin.calls.count("POST /v1/imports") == 1


async def test_the_same_file_again_changes_nothing(importer: FileImporter, tmp_path: Path) -> None:
    file = tmp_path / "history.ndjson"
    file.write_text(json.dumps(response(nps())) + "\n")
    source = ImportFile(file, None, "ndjson", None)
    results = [await importer.follow(await importer.upload(source, lambda done: None), lambda done: None) for _ in range(2)]
    assert [(job["accepted"], job["duplicate"]) for job in results] == [(1, 0), (0, 1)]
