"""Every page for receivers of gifts."""

from typing import Any

from returns_portal.gifts.pages import choose, door

routes: list[Any] = [*door.routes, *choose.routes]
