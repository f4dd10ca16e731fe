"""The HTTP API of sentiment, for Earshot's own services only."""
