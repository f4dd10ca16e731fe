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
