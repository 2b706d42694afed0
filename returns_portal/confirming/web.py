"""Every page of new orders."""

from typing import Any

from returns_portal.confirming.pages import announce, calls, customer, settings

routes: list[Any] = [*announce.routes, *calls.routes, *customer.routes, *settings.routes]
