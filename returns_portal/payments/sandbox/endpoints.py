"""Webhook endpoints, set up by Stripe's own API, and the events that are kept."""

import re
import secrets
from urllib.parse import urlsplit

from returns_portal.payments.sandbox import clock, reads
from returns_portal.payments.sandbox.errors import ApiError, missing, not_simulated
from returns_portal.payments.sandbox.form import Params
from returns_portal.payments.sandbox.ids import new_id
from returns_portal.payments.sandbox.lists import EndpointList, EventList
from returns_portal.payments.sandbox.objects import Document, merged
from returns_portal.payments.sandbox.params import EndpointCreate, EndpointUpdate
from returns_portal.payments.sandbox.statements import Page
from returns_portal.payments.sandbox.store import Store
from returns_portal.payments.sandbox.unit import Unit

_EVENT_NAME = re.compile(r"[a-z_]+(\.[a-z_]+)+")
_OBJECT = "webhook_endpoint"


class Endpoints:
    """The handlers; a change counts as soon as it is committed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(self, unit: Unit, params: EndpointCreate) -> Document:
        """Create an endpoint; its secret is told only now."""
        _check_url(params.url)
        _check_events(params.enabled_events)
        document = {
            "id": new_id(_OBJECT),
            "object": _OBJECT,
            "api_version": params.api_version,
            "application": None,
            "created": clock.now(),
            "description": params.description,
            "enabled_events": params.enabled_events,
            "livemode": False,
            "metadata": params.metadata,
            "secret": "whsec_" + secrets.token_urlsafe(24),
            "status": "enabled",
            "url": params.url,
        }
        self._put(unit, document)
        return document

    async def retrieve(self, unit: Unit, _params: Params, id_: str) -> Document:
        """Read one, without its secret."""
        return _shown(await _existing(unit, id_))

    async def list(self, unit: Unit, params: EndpointList) -> Document:
        """List them, newest first, without their secrets."""
        page = await reads.listed(unit, params, Page(_OBJECT), "/v1/webhook_endpoints")
        return page | {"data": [_shown(document) for document in page["data"]]}

    async def update(self, unit: Unit, params: EndpointUpdate, id_: str) -> Document:
        """Change where it is, what it wants, or whether it is enabled."""
        document = await _existing(unit, id_)
        if params.url is not None:
            _check_url(params.url)
            document["url"] = params.url
        if params.enabled_events is not None:
            _check_events(params.enabled_events)
            document["enabled_events"] = params.enabled_events
        if params.disabled is not None:
            document["status"] = "disabled" if params.disabled else "enabled"
        if params.description is not None:
            document["description"] = params.description
        document["metadata"] = merged(document["metadata"], params.metadata)
        self._put(unit, document)
        return _shown(document)

    async def delete(self, unit: Unit, _params: Params, id_: str) -> Document:
        """Remove one; what is on its way to it is not delivered."""
        await _existing(unit, id_)
        await unit.remove_endpoint(id_)
        unit.committed.append(self._store.refresh)
        return {"id": id_, "object": _OBJECT, "deleted": True}

    def _put(self, unit: Unit, document: Document) -> None:
        unit.put(document)
        unit.committed.append(self._store.refresh)


async def list_events(unit: Unit, params: EventList) -> Document:
    """List the events that are kept, newest first.

    Raises:
        ApiError: nobody wants any, so none are kept; the list would seem to say that nothing happened.
    """
    if not unit.listening.somebody:
        raise not_simulated("events that no webhook endpoint wants and that it was not told to keep")
    page = Page("event", types=[params.type] if params.type else params.types)
    return await reads.listed(unit, params, page, "/v1/events")


async def _existing(unit: Unit, id_: str) -> Document:
    document = await unit.lock(_OBJECT, id_)
    if document is None:
        raise missing(_OBJECT, id_, "webhook_endpoint")
    return document


def _shown(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "secret"}


def _check_url(url: str) -> None:
    """Take web addresses alone; plain http too, as Stripe does with test keys."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ApiError(400, "Invalid URL: An explicit scheme (such as https) must be provided.", param="url")


def _check_events(names: list[str]) -> None:
    """Take what looks like the name of an event: Stripe has many that the sandbox never causes."""
    for index, name in enumerate(names):
        if name != "*" and not _EVENT_NAME.fullmatch(name):
            param = f"enabled_events[{index}]"
            raise ApiError(400, f"Invalid {param}: must be one of Stripe's types of event, or *", param=param)
