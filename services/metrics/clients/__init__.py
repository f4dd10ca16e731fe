"""The services that metrics asks."""
