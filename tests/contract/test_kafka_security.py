"""Connections to Kafka by TLS and SASL: the whole way of a record, and credentials that are refused or replaced."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.kafka import Broken, Producer, Undelivered, admin, reachable
from shared.kafka.dead_letters import count_records
from shared.kafka.records import Place
from tests.contract.kafka_topic import KafkaTopic, Recorder, messages, new_topic, until
from tests.contract.secured_kafka import PASSWORD, USER, SecuredKafka, secured_kafka
from tests.contract.tokens import Issuer

PATIENCE = 20.0
"""Seconds for a handshake on a slow machine. A refusal comes at once."""


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecuredKafka]:
    async with secured_kafka(tmp_path_factory.mktemp("secured")) as broker:
        yield broker


@pytest.mark.parametrize("way", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "mutual TLS"])
async def test_records_are_sent_consumed_and_counted(kafka: SecuredKafka, way: str) -> None:
    brokers = kafka.mutual_tls() if way == "mutual TLS" else kafka.scram(mechanism=way)
    assert await reachable(brokers, PATIENCE)
    topic, seen = await new_topic(brokers), Recorder()
    await topic.send(messages(range(10)))
    async with topic.consuming(seen):
        await until(lambda: seen.has(range(10)))
    places = {Place(topic.definition.name, partition): 0 for partition in range(topic.definition.partitions)}
    assert await admin.lag(brokers, places) == 10
    assert await count_records(brokers, [topic.definition.dlq]) == {topic.definition.dlq: 0}


async def test_a_wrong_password_or_an_unknown_authority_is_refused(kafka: SecuredKafka) -> None:
    assert not await reachable(kafka.scram("wrong"), PATIENCE)
    assert not await reachable(replace(kafka.scram(), ca_file=None), PATIENCE)
    assert not await reachable(replace(kafka.mutual_tls(), certificate_file=None, key_file=None), PATIENCE)
    with pytest.raises(Broken):
        await admin.ensure_topics(kafka.scram("wrong"))


async def test_clients_take_a_replaced_password_without_a_restart(kafka: SecuredKafka, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("wrong")
    brokers = replace(kafka.scram(), password=None, password_file=file)
    topic, seen = await new_topic(kafka.plain), Recorder()
    secured = KafkaTopic(brokers, topic.definition, topic.group)
    async with secured.consuming(seen), Producer(brokers) as producer:
        with pytest.raises(Undelivered):
            await producer.send_all(topic.definition, messages([1]), timeout=5)
        file.write_text(PASSWORD)
        async with asyncio.timeout(30):
            while True:
                try:
                    await producer.send_all(topic.definition, messages([2]), timeout=5)
                    break
                except Undelivered:
                    await asyncio.sleep(0.1)
        await until(lambda: seen.has([2]))


async def test_a_signed_token_is_read_from_its_file_anew_for_each_connection(kafka: SecuredKafka, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(kafka.issuer.token(USER))
    brokers = kafka.oauth(file)
    topic, seen = await new_topic(kafka.plain), Recorder()
    secured = KafkaTopic(brokers, topic.definition, topic.group)
    await secured.send(messages(range(10)))
    async with secured.consuming(seen):
        await until(lambda: seen.has(range(10)))
    file.write_text(kafka.issuer.token(USER, seconds=-600))
    assert not await reachable(brokers, PATIENCE), "expired"
    file.write_text(kafka.issuer.token(USER) + "\n")
    assert await reachable(brokers, PATIENCE)


async def test_a_token_of_another_issuer_or_for_another_audience_is_refused(kafka: SecuredKafka, tmp_path: Path) -> None:
    file = tmp_path / "token"
    for token in (Issuer().token(USER), kafka.issuer.token(USER, audience="another")):
        file.write_text(token)
        assert not await reachable(kafka.oauth(file), PATIENCE)
