"""The migrations of metrics give the schema that its tables describe."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from services.metrics.store.tables import metadata
from shared.database import open_engine
from tests.conftest import NewDatabase


def differences(connection: Connection, metadata: MetaData) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_the_migrated_schema_is_the_one_the_tables_describe(database: NewDatabase) -> None:
    engine = open_engine(await database("metrics"))
    async with engine.connect() as connection:
        assert [d for d in await connection.run_sync(differences, metadata) if "alembic_version" not in str(d)] == []
    await engine.dispose()
