"""Clients of the services that metrics calls."""
