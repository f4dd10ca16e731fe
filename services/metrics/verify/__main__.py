"""`python -m services.metrics.verify [--tenant T]`: exits 1 at a difference, 2 if something could not be reached."""

import argparse
import asyncio
import sys

import httpx

from services.metrics.clients.ingest import Ingest
from services.metrics.settings import Settings
from services.metrics.verify.report import advice, say
from services.metrics.verify.verification import StackVerification
from shared.database import OUTAGE, open_pool
from shared.ingest import ingest_client
from shared.startup import read_settings

PATIENCE = 60.0


async def verify(settings: Settings, tenant: str | None, patience: float) -> bool:
    """Verify against the running services. Returns whether everything is equal."""
    base = f"http://{settings.host}:{settings.port}"
    headers = {"Authorization": f"Bearer {settings.internal_token.get_secret_value()}"}
    async with (
        open_pool(settings.database, 2, command_timeout=300) as pool,
        ingest_client(settings.ingest_url, settings.internal_token, timeout=60) as http,
        httpx.AsyncClient(base_url=base, headers=headers, timeout=60, trust_env=False) as metrics,
    ):
        steps = await StackVerification(Ingest(http), pool, metrics, settings.sentiment_model, patience, say).run(tenant)
    if hint := advice(steps):
        say(hint)
    return not any(step.differences for step in steps)


def main() -> None:
    """The command."""
    arguments = argparse.ArgumentParser(prog="verify", description="Recompute everything from ingest's events and compare.")
    arguments.add_argument("--tenant", help="verify this tenant alone")
    arguments.add_argument(
        "--patience",
        type=float,
        default=PATIENCE,
        help="seconds to wait for services that don't answer, and for what isn't applied yet",
    )
    options = arguments.parse_args()
    settings = read_settings("metrics", Settings)
    try:
        equal = asyncio.run(verify(settings, options.tenant, options.patience))
    except (*OUTAGE, httpx.HTTPError) as error:
        say(f"could not verify: {type(error).__name__}: {error}")
        sys.exit(2)
    say("all equal" if equal else "NOT EQUAL")
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
