"""Taxonomies: the themes of a tenant, as ingest stores them and sentiment reads them."""

from msgspec import Struct


class ThemeDefinition(Struct, frozen=True, forbid_unknown_fields=True):
    """A theme: its name, its description, and example comments, in any served language."""

    id: str
    name: str
    description: str
    examples: tuple[str, ...] = ()


class Taxonomy(Struct, frozen=True, forbid_unknown_fields=True):
    """The themes of a tenant. `revision` counts changes from 1; 0 is the default taxonomy."""

    revision: int
    themes: tuple[ThemeDefinition, ...]


class TenantTaxonomy(Struct, frozen=True, forbid_unknown_fields=True):
    """The taxonomy of a tenant as ingest stores it. `themes` is None for the default ones.

    `revision` is 0 until the first change. A return to the default themes is a change too, so that later scores are the newer
    ones.
    """

    revision: int
    themes: tuple[ThemeDefinition, ...] | None = None

    def over(self, default: Taxonomy) -> Taxonomy:
        """The tenant's themes, or those of the default taxonomy, with the tenant's revision."""
        return Taxonomy(self.revision, default.themes if self.themes is None else self.themes)
