"""The migrations of ingest give the schema that its tables describe."""

from services.ingest.store.import_tables import imports
from shared.database import open_engine
from tests.conftest import NewDatabase
from tests.contract.test_metrics_schema import differences


async def test_the_migrated_schema_is_the_one_the_tables_describe(database: NewDatabase) -> None:
    engine = open_engine(await database("ingest"))
    async with engine.connect() as connection:
        changes = await connection.run_sync(differences, imports.metadata)
        assert [d for d in changes if "alembic_version" not in str(d)] == []
    await engine.dispose()
