"""Every page of new orders."""

from typing import Any

from returns_portal.confirming.pages import customer, settings

routes: list[Any] = [*customer.routes, *settings.routes]
