"""The carriers that there are adapters for, as people call them; light enough for a web process."""

from collections.abc import Mapping
from typing import Final

from returns_portal.carriers.prepaid import PREPAID
from returns_portal.i18n import mark
from returns_portal.settings import Settings

NAMES: Final[Mapping[str, str]] = {
    PREPAID: mark("Prepaid reply"),
    "easypost": "EasyPost",
    "nova_poshta": mark("Nova Poshta"),
}
PICK_UP: Final = frozenset({"easypost"})
"""Those that fetch parcels from people's homes."""


def configured(settings: Settings) -> frozenset[str]:
    """The carriers that can be asked: those whose key is set."""
    keys = {"easypost": settings.easypost_api_key, "nova_poshta": settings.nova_poshta_api_key}
    return frozenset({PREPAID, *(name for name, key in keys.items() if key is not None)})
