"""How a program says in which parcel something left: one shape for all that is sent."""

from typing import Annotated

import msgspec

from returns_portal.texts import WITHOUT_NUL


class ShipmentIn(msgspec.Struct, forbid_unknown_fields=True):
    """In which parcel it left."""

    carrier: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=100)] = ""
    tracking: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=100)] = ""
