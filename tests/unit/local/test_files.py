"""Files, secrets, environment, downloads: what is kept on disk is whole, private, and nobody else's."""

import hashlib
import os
import stat
from pathlib import Path

import pytest

from deploy.local.environment import read_environment, services_environment, stack_secrets, write_environment
from deploy.local.files import locked_folder, read_json, replace, replace_json
from deploy.local.kafka_jars import check, known_hashes, publish
from deploy.local.processes import StartFailed
from deploy.local.settings import OFFSETS, Settings


def test_a_file_is_replaced_atomically_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "demo.json"
    replace_json(path, {"a": 1})
    replace_json(path, {"a": 2})
    assert read_json(path) == {"a": 2}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["demo.json"]


def test_the_remains_of_a_killed_writer_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".demo.json.new").write_text('{"hal')
    replace(tmp_path / "demo.json", "{}")
    assert os.listdir(tmp_path) == ["demo.json"]


def test_a_second_stack_on_a_folder_is_refused_with_the_pid(tmp_path: Path) -> None:
    with locked_folder(tmp_path), pytest.raises(StartFailed, match=f"pid {os.getpid()}.*DATA"), locked_folder(tmp_path):
        pass
    with locked_folder(tmp_path):
        pass


def test_secrets_are_generated_once_and_other_entries_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    replace_json(path, {"api_key": "esk_1"})
    first = stack_secrets(path)
    assert stack_secrets(path) == first
    assert read_json(path) == first | {"api_key": "esk_1"}
    assert len(first["internal_token"]) >= 32
    assert len(first["ingest_secret_key"]) == 44


def test_a_written_environment_is_read_again(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, port_base=9100)
    urls = {name: f"postgresql+asyncpg://u:it's @h:1/{name}" for name in ("ingest", "metrics", "gateway")}
    environment = services_environment(settings, stack_secrets(tmp_path / "secrets.json"), urls, "h:9092")
    write_environment(tmp_path / "services.env", environment)
    assert read_environment(tmp_path / "services.env") == environment
    assert environment["GATEWAY_PORT"] == "9100"
    assert environment["METRICS_INGEST_URL"] == environment["INGEST_PUBLIC_URL"] == "http://127.0.0.1:9101"


def test_existing_servers_use_none_of_the_stacks_ports(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, kafka_bootstrap_servers="k:9092", database_url_base="postgresql+asyncpg://u:p@h:5432")
    assert set(settings.own_ports()) == {"gateway", "ingest", "sentiment", "metrics"}
    assert set(Settings(data=tmp_path, kafka_bootstrap_servers="").own_ports()) == set(OFFSETS)


def test_jars_that_are_missing_or_changed_are_named(tmp_path: Path) -> None:
    hashes = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("a.jar", "b.jar", "c.jar")}
    for name in hashes:
        (tmp_path / name).write_bytes(name.encode())
    check(tmp_path, hashes)
    (tmp_path / "b.jar").write_bytes(b"b.j")
    (tmp_path / "c.jar").unlink()
    with pytest.raises(OSError, match=r": b\.jar, c\.jar$"):
        check(tmp_path, hashes)


def test_the_hashes_of_kafkas_jars_are_pinned() -> None:
    hashes = known_hashes()
    assert len(hashes) == 46
    assert "kafka_2.13-4.3.0.jar" in hashes
    assert all(len(digest) == 64 for digest in hashes.values())


def test_a_cache_that_another_process_has_filled_is_kept(tmp_path: Path) -> None:
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jar").write_text(name)
    publish(tmp_path / "mine", tmp_path / "theirs")
    assert (tmp_path / "theirs" / "a.jar").read_text() == "theirs"
