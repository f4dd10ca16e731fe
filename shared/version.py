"""The version of Earshot. `pyproject.toml` reads it from here, since the images hold no package metadata."""

VERSION = "0.1.0"
