"""After an upgrade the local stack goes on scoring with the model that its tenants have."""

from collections.abc import Mapping

import asyncpg
import pytest

from deploy.local.scorers import SCORERS, promoted_models, scorer_settings
from deploy.local.servers import Postgres
from services.sentiment.settings import Settings
from tests.conftest import NewDatabase


async def test_the_newest_promotion_of_each_tenant_counts(database: NewDatabase) -> None:
    url = await database("metrics")
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    rows = [(1, "e5-2", True), (1, "vader-3.3.2", False), (1, "e5-5", False), (2, "e5-4", True)]
    await connection.executemany("INSERT INTO promotions (tenant, model, promoted_at, initial) VALUES ($1, $2, now(), $3)", rows)
    await connection.close()
    assert await promoted_models(url) == {"e5-5", "e5-4"}


async def test_a_new_database_has_no_promoted_models(postgres: Postgres) -> None:
    assert await promoted_models(await postgres.create_database("metrics_before_its_migrations")) == set()


@pytest.mark.parametrize(
    ("promoted", "variables", "expected"),
    [
        (set(), {}, {}),
        ({"e5-7"}, {}, {}),
        ({"mine-7", "e5-7"}, {}, {}),
        ({"e5-7", "e5-6"}, {}, {"SENTIMENT_SCORER": "e5-6", "SENTIMENT_SHADOW": "e5"}),
        ({"e5-7", "e5-5"}, {}, {"SENTIMENT_SCORER": "e5-5", "SENTIMENT_SHADOW": "e5"}),
        ({"e5-7", "e5-4"}, {}, {"SENTIMENT_SCORER": "e5-4", "SENTIMENT_SHADOW": "e5"}),
        ({"vader-3.3.2", "e5-2"}, {}, {"SENTIMENT_SCORER": "e5-2", "SENTIMENT_SHADOW": "e5"}),
        ({"e5-4"}, {"SENTIMENT_SCORER": "e5"}, {}),
        ({"e5-4"}, {"SENTIMENT_SHADOW": "e5-4"}, {}),
    ],
)
def test_a_former_default_scores_unless_the_models_are_named(
    promoted: set[str], variables: Mapping[str, str], expected: Mapping[str, str]
) -> None:
    assert scorer_settings(promoted, variables) == expected


@pytest.mark.parametrize("scorer", SCORERS.values())
def test_each_former_default_is_a_scorer(scorer: str) -> None:
    settings = Settings.model_validate({"internal_token": "the token of the tests", "scorer": scorer, "shadow": "e5"})
    assert settings.scorer == scorer
