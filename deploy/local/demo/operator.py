"""What an operator does once for the demo: the tenant and its keys, by the same functions as the `earshot` command.

It is a module of its own since it brings half of the gateway with it, and only the first start needs it.
"""

from deploy.local.environment import read_environment
from deploy.local.files import read_json, replace_json
from deploy.local.settings import Settings
from services.gateway.admin import open_admin
from services.gateway.domain.keys import SCOPES
from services.gateway.settings import Settings as GatewaySettings

NAME, ZONE = "Demo", "Europe/Berlin"
KEYS = {"api_key": ("metrics:read", "records:read"), "admin_key": tuple(SCOPES)}


async def make_tenant(settings: Settings, tenant: str) -> None:
    """Make the tenant, or find it, and make those of its keys that the secrets' file doesn't hold. Raises Problem."""
    async with open_admin(gateway_settings(settings)) as admin:
        await admin.create_tenant(tenant, ZONE, NAME)
        for name, scopes in KEYS.items():
            content = read_json(settings.secrets_file)
            if name not in content:
                _, secret = await admin.create_key(tenant, scopes, name.replace("_", " "))
                replace_json(settings.secrets_file, content | {name: secret})


def gateway_settings(settings: Settings) -> GatewaySettings:
    """The gateway's own settings, as it reads them from the stack's environment."""
    environment = read_environment(settings.environment_file)
    return GatewaySettings(
        database_url=environment["GATEWAY_DATABASE_URL"],
        internal_token=environment["INTERNAL_TOKEN"],
        ingest_url=environment["GATEWAY_INGEST_URL"],
        metrics_url=environment["GATEWAY_METRICS_URL"],
        sentiment_url=environment["GATEWAY_SENTIMENT_URL"],
    )
