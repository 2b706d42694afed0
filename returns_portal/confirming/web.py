"""Every page of new orders."""

from typing import Any

from returns_portal.confirming.pages import calls, customer, settings

routes: list[Any] = [*calls.routes, *customer.routes, *settings.routes]
