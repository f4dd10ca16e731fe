"""The HTTP routes of metrics, for Earshot's own services only."""
