"""The models that score in the local stack: the default one, and one that an earlier version made the default of its tenants."""

from collections.abc import Collection, Mapping

import asyncpg

SCORERS = {"e5-6": "e5-6", "e5-5": "e5-5", "e5-4": "e5-4", "e5-2": "e5-2", "linear-2": "linear", "vader-3.3.2": "vader"}
"""Former default models → values of SENTIMENT_SCORER, the latest first."""

PROMOTED = """
SELECT DISTINCT ON (tenant) model FROM promotions ORDER BY tenant, initial, id DESC
"""
"""The model of each tenant: that of its newest promotion, else the initial one."""


async def promoted_models(url: str) -> set[str]:
    """The models whose scores count for some tenant. `url`: the database of metrics. Empty before its first migration."""
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://"), timeout=10)
    try:
        if await connection.fetchval("SELECT to_regclass('promotions')") is None:
            return set()
        return {row["model"] for row in await connection.fetch(PROMOTED)}
    finally:
        await connection.close()


def scorer_settings(promoted: Collection[str], variables: Mapping[str, str]) -> dict[str, str]:
    """The settings with which a former default model goes on scoring for its tenants, beside the default one.

    Without them new comments of these tenants would have no score that counts. Empty if no tenant has a former default model, or
    if `variables`, those of `make run`, name the models.
    """
    if variables.get("SENTIMENT_SCORER") or variables.get("SENTIMENT_SHADOW"):
        return {}
    former = next((scorer for model, scorer in SCORERS.items() if model in promoted), None)
    return {"SENTIMENT_SCORER": former, "SENTIMENT_SHADOW": "e5"} if former else {}
