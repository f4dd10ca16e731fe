"""The gateway's own database: tenants and their API keys."""
