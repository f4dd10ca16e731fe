"""The HTTP door of metrics; only Earshot's own services knock here."""
