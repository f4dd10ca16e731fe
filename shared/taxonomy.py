"""What themes a tenant tells apart. Kept by ingest, set at the gateway, read by sentiment: the contract between the three."""

from msgspec import Struct


class ThemeDefinition(Struct, frozen=True, forbid_unknown_fields=True):
    """One theme: what it is called and what it is about, with comments that speak of it as examples. In any served language."""

    id: str
    name: str
    description: str
    examples: tuple[str, ...] = ()


class Taxonomy(Struct, frozen=True, forbid_unknown_fields=True):
    """The themes of a tenant. `revision` counts its changes from 1; 0 is the taxonomy that ships."""

    revision: int
    themes: tuple[ThemeDefinition, ...]


class TenantTaxonomy(Struct, frozen=True, forbid_unknown_fields=True):
    """What ingest keeps of a tenant: the themes that it set, None for those that ship. `revision` is 0 until the first change,
    and a return to the ones that ship has a number of its own, so that what is scored with them afterwards is the newer."""

    revision: int
    themes: tuple[ThemeDefinition, ...] | None = None

    def over(self, shipped: Taxonomy) -> Taxonomy:
        """The themes that count, under the tenant's revision."""
        return Taxonomy(self.revision, shipped.themes if self.themes is None else self.themes)
