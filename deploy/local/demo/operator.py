"""Create the demo's tenant and API keys, with the functions of the `earshot` command.

A separate module, since it imports much of the gateway, which only the first start needs.
"""

from deploy.local.environment import read_environment
from deploy.local.files import read_json, replace_json
from deploy.local.settings import Settings
from services.gateway.admin import open_admin
from services.gateway.domain.keys import SCOPES
from services.gateway.settings import Settings as GatewaySettings

NAME, ZONE = "Demo", "Europe/Berlin"
KEYS = {"api_key": ("metrics:read", "records:read"), "admin_key": tuple(SCOPES)}


async def create_tenant(settings: Settings, tenant: str) -> None:
    """Create the tenant if it does not exist, and those of its keys that are not in the secrets file. Raises Problem."""
    async with open_admin(gateway_settings(settings)) as admin:
        await admin.create_tenant(tenant, ZONE, NAME)
        for name, scopes in KEYS.items():
            content = read_json(settings.secrets_file)
            if name not in content:
                _, secret = await admin.create_key(tenant, scopes, name.replace("_", " "))
                replace_json(settings.secrets_file, content | {name: secret})


def gateway_settings(settings: Settings) -> GatewaySettings:
    """The gateway's settings, from the stack's environment."""
    environment = read_environment(settings.environment_file)
    return GatewaySettings(
        database_url=environment["GATEWAY_DATABASE_URL"],
        internal_token=environment["INTERNAL_TOKEN"],
        ingest_url=environment["GATEWAY_INGEST_URL"],
        metrics_url=environment["GATEWAY_METRICS_URL"],
        sentiment_url=environment["GATEWAY_SENTIMENT_URL"],
    )
