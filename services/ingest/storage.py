"""The parts with which a process of ingest stores deliveries: connections, encryption of bodies, observers of deliveries."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.health import DeliveryObserver
from services.ingest.key_keeper import KeyKeeper
from services.ingest.names import NameCollector
from services.ingest.settings import Settings
from services.ingest.store.cipher import Cipher
from services.ingest.store.connections import Connections
from services.ingest.store.health import HealthStore
from services.ingest.store.value_names import ValueNames
from services.ingest.store.vault import Vault
from shared.workers import Workers


@dataclass(frozen=True, slots=True)
class Storage:
    """`pool` is that of the inbox. `observer` notes the names in deliveries by the `collector`."""

    pool: asyncpg.Pool
    connections: Connections
    cipher: Cipher
    vault: Vault
    health: HealthStore
    names: ValueNames
    collector: NameCollector
    observer: DeliveryObserver

    def start(self, workers: Workers) -> None:
        """Start the workers that store what the observers have noted, and that create and delete keys of bodies."""
        workers.start("health", self.observer.run)
        workers.start("names", self.collector.run)
        workers.start("keys", KeyKeeper(self.pool, self.vault).run)


def open_storage(
    stack: AsyncExitStack,
    settings: Settings,
    engine: AsyncEngine,
    pool: asyncpg.Pool,
    keys: asyncpg.Pool,
    now: Callable[[], datetime],
) -> Storage:
    """Build the parts over open connections to the database and to that of the keys. `stack` closes them."""
    cipher = Cipher(settings.secret_key, settings.decrypting_keys)
    vault = Vault(keys, cipher, encrypts=settings.encrypt_bodies, inbox=pool)
    stack.push_async_callback(vault.close)
    names = ValueNames(pool)
    collector = NameCollector(names)
    stack.push_async_callback(collector.close)
    health = HealthStore(pool)
    observer = DeliveryObserver(health, now, collector.add)
    stack.push_async_callback(observer.close)
    connections = Connections(engine, cipher, settings.connections_per_tenant)
    return Storage(pool, connections, cipher, vault, health, names, collector, observer)
