"""Clients of the internal services."""
