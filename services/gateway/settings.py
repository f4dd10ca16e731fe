"""The gateway's settings. Environment variables begin with GATEWAY_, shared ones have no prefix."""

import re
from ipaddress import ip_network

from pydantic import AnyHttpUrl, Field, field_validator

from shared.settings import DatabaseSettings, prefixed

ORIGIN = re.compile(r"https?://[a-z0-9.\[\]:-]+")
"""Scheme, host and port, as browsers write an origin: in lower case, without a slash at the end."""


class Settings(DatabaseSettings):
    """Read from the environment, validated at boot."""

    model_config = prefixed("GATEWAY_")

    ingest_url: AnyHttpUrl = Field(AnyHttpUrl("http://127.0.0.1:8401"), description="Where ingest answers internal calls")
    sentiment_url: AnyHttpUrl = Field(AnyHttpUrl("http://127.0.0.1:8402"), description="Where sentiment answers internal calls")
    metrics_url: AnyHttpUrl = Field(AnyHttpUrl("http://127.0.0.1:8403"), description="Where metrics answers internal calls")
    key_cache_seconds: float = Field(
        1.0, ge=0, le=60, description="How long a looked-up API key is trusted; a revocation takes effect within this time"
    )
    rate_per_second: float = Field(500.0, gt=0, description="Requests per second that one API key may make in the long run")
    rate_burst: int = Field(2000, ge=1, description="Requests that one API key may make at once")
    tenant_rate_per_second: float = Field(
        2000.0, gt=0, description="Requests per second that all API keys of one tenant together may make in the long run"
    )
    tenant_rate_burst: int = Field(8000, ge=1, description="Requests that all API keys of one tenant together may make at once")
    keys_per_tenant: int = Field(100, ge=1, description="API keys of one tenant that work at one time; /v1/keys makes no more")
    guesses_per_minute: float = Field(
        20.0, gt=0, description="Invalid API keys per minute that one address (IPv6: /64) may send in the long run"
    )
    guesses_burst: int = Field(40, ge=1, description="Invalid API keys that one address may send at once")
    body_bytes: int = Field(
        96 * 1024 * 1024,
        ge=8 * 1024 * 1024,
        description="Bytes of all request bodies in progress in a process; more are answered 503",
    )
    body_bytes_per_tenant: int = Field(
        32 * 1024 * 1024,
        ge=8 * 1024 * 1024,
        description="Bytes of a tenant's request bodies in progress; more are answered 429",
    )
    trusted_proxies: str = Field(
        "", description="Addresses and networks of the proxies in front, comma-separated: their X-Forwarded-For names the client"
    )
    cors_origins: str = Field(
        "",
        description="Origins of web apps whose pages may call the API, comma-separated, such as https://app.example.com; "
        "`*`: every origin; empty: none",
    )
    live_readers: int = Field(500, ge=1, description="Live streams that one process holds open; more are answered 503")
    live_readers_per_tenant: int = Field(200, ge=1, description="Live streams that one tenant may hold open")
    live_readers_per_key: int = Field(100, ge=1, description="Live streams that one API key may hold open")
    live_queries_per_tenant: int = Field(
        500, ge=1, description="Different queries, a KPI with its parameters each, that one tenant's live streams may watch"
    )
    live_queries_per_key: int = Field(250, ge=1, description="The same for the live streams of one API key")
    live_ping_seconds: float = Field(
        15.0, ge=1, le=300, description="Silence on a live stream after which a comment shows that it lives"
    )

    @property
    def allowed_origins(self) -> list[str]:
        """The origins of `cors_origins`."""
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: str) -> str:
        """A browser compares origins as text, so a path or a slash at the end would never match."""
        for origin in filter(None, map(str.strip, origins.split(","))):
            if origin != "*" and not ORIGIN.fullmatch(origin):
                raise ValueError("not an origin such as https://app.example.com, without a path")
        return origins

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, proxies: str) -> str:
        """Refuse a value that is no address: uvicorn would take it for a name, which never matches."""
        for proxy in filter(None, proxies.split(",")):
            ip_network(proxy.strip())
        return proxies
