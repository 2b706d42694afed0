"""Setting up the shop, and changing what it promises."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import available_timezones

import msgspec
from babel import Locale
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.i18n import available, mark
from returns_portal.shop.colours import scheme_of
from returns_portal.shop.hours import ChannelName
from returns_portal.shop.hours import check as check_hours
from returns_portal.shop.models import Shop
from returns_portal.shop.queries import DEFAULT, OWN, PROMISED, ShopInfo, forget, read
from returns_portal.shop.warehouses import check_names

SUBJECT_ID: Final = UUID(int=1)
"""The shop's id in the history, whose subjects are UUIDs; the row's own id is 1."""

PLACES: Final = ("landing", "packing", "closing")
"""Where the shop may say something in its own words: on the first page, with the label, at the end of e-mails."""
LONGEST_TEXT: Final = 400

_MOST_GOODWILL = 10**12
_ADDRESS_REQUIRED = ("name", "line1", "city", "postal_code", "country")
_POINTS = ("points_rate", "points_since", "points_months", "points_limit")
_MOST_MONTHS = 120
# Their old and new values tell the whole story of a policy; the others' names are enough.
_POLICIES = ("timezone", "goodwill_limit", "second_person", *_POINTS)


async def ensure_shop(db: AsyncConnection) -> None:
    """Make the shop's row where there is none; of several who do so at once, one makes it."""
    values = {field: getattr(DEFAULT, field) for field in OWN} | {"id": 1, "updated_at": clock.now()}
    await db.execute(insert(Shop).values(values).on_conflict_do_nothing())


async def update_shop(db: AsyncConnection, actor: Actor, **changes: object) -> ShopInfo:
    """Change columns of the shop; an `address` is merged into the one that stands.

    Other processes see it within `queries.CACHE_SECONDS`.

    Raises:
        ForbiddenError: the actor is no admin.
        InvalidError: a name or a value is impossible; its `field` says which.
    """
    actor.require("admin")
    await ensure_shop(db)
    before = await read(db, lock=True)
    after = _begun(before, _changed(before, changes))
    fields = [name for name in OWN if getattr(before, name) != getattr(after, name)]
    if fields:
        values = {field: getattr(after, field) for field in fields}
        await db.execute(update(Shop).values(values | {"updated_at": clock.now()}))
        policies = {field: [getattr(before, field), getattr(after, field)] for field in fields if field in _POLICIES}
        await history.record(db, actor, ("shop", SUBJECT_ID, "changed", {"fields": fields, **policies}))
        forget()
    return after


async def pause(db: AsyncConnection, actor: Actor, name: ChannelName, until: datetime | None) -> None:
    """Let a channel show as closed until a moment, although it is a time of service; None where somebody is back.

    Raises:
        ForbiddenError: the actor serves no customers.
    """
    actor.require("support")
    await ensure_shop(db)
    before = (await read(db, lock=True)).hours
    channel = msgspec.structs.replace(getattr(before, name), paused_until=until)
    hours = msgspec.structs.replace(before, **{name: channel})
    await db.execute(update(Shop).values(hours=hours, updated_at=clock.now()))
    told = {"channel": name, "until": until.isoformat() if until else None}
    await history.record(db, actor, ("shop", SUBJECT_ID, "channel_paused", told))
    forget()


def _begun(before: ShopInfo, after: ShopInfo) -> ShopInfo:
    """With the moment from which on orders earn points, where they begin to and nobody named another."""
    begins = after.points_rate > 0 and (before.points_rate == 0 or after.points_since is None)
    if begins and after.points_since == before.points_since:
        return msgspec.structs.replace(after, points_since=clock.now())
    return after


def _changed(before: ShopInfo, changes: Mapping[str, object]) -> ShopInfo:
    for field in changes:
        if field in PROMISED:
            raise InvalidError("This is part of the policy: make a new version of that.", field=field)
        if field == "logo":
            raise InvalidError(mark("The logo is a file: choose it on the page of the shop's looks."), field=field)
        if field not in OWN:
            raise InvalidError("The shop has no setting {name}.", field=field, name=field)
    merged = msgspec.to_builtins(before) | changes
    address = merged["address"]
    if isinstance(address, Mapping):
        merged["address"] = before.address | dict(address)
    try:
        after = msgspec.convert(merged, ShopInfo, strict=False)
    except msgspec.ValidationError as error:
        place = re.search(r"`\$\.([\w.]+)", str(error))
        name = place[1] if place else "address"
        raise InvalidError("{name} is not of the right kind.", field=name, name=name) from error
    _check(after)
    return after


def _check(info: ShopInfo) -> None:
    for field in ("name", "email", "phone", "licence"):
        _check_line(field, getattr(info, field))
    if info.tax_details:
        _check_line("tax_details", info.tax_details)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", info.email):
        raise InvalidError("This is not an e-mail address.", field="email")
    if info.timezone not in available_timezones():
        raise InvalidError(
            "{zone} is not a time zone; give one such as Europe/Sofia.", field="timezone", zone=info.timezone
        )
    if not 0 <= info.goodwill_limit <= _MOST_GOODWILL:
        raise InvalidError("The limit is in hundredths: 5000 is 50.00. It cannot be negative.", field="goodwill_limit")
    _check_points(info)
    scheme_of(info.accent)
    _check_texts(info.texts)
    check_hours(info.hours)
    check_names(info.warehouses)
    _check_address(info.address)


def _check_points(info: ShopInfo) -> None:
    if not 0 <= info.points_rate <= 1000:  # noqa: PLR2004 - per mille
        raise InvalidError("The rate is from 0 to 1000 points for 1000 minor units.", field="points_rate")
    if not 0 <= info.points_months <= _MOST_MONTHS:
        raise InvalidError("Points expire after 1 to 120 months; 0 is never.", field="points_months")
    if not 0 <= info.points_limit <= _MOST_GOODWILL:
        raise InvalidError("The limit is a number of points, and cannot be negative.", field="points_limit")


def _check_texts(texts: dict[str, dict[str, str]]) -> None:
    for place, by_language in texts.items():
        if place not in PLACES:
            raise InvalidError(mark("The shop has no words of its own in {place}."), field="texts", place=place)
        for language, words in by_language.items():
            field = f"{place}-{language}"
            if language not in available():
                raise InvalidError(mark("There is no language {language}."), field=field, language=language)
            if len(words) > LONGEST_TEXT:
                raise InvalidError(mark("Please keep it below {most} letters."), field=field, most=LONGEST_TEXT)
            if words:
                _check_line(field, words)


def _check_address(address: dict[str, str]) -> None:
    for part, value in address.items():
        if part not in DEFAULT.address:
            raise InvalidError("An address has no {part}.", field=f"address.{part}", part=part)
        if value or part in _ADDRESS_REQUIRED:
            _check_line(f"address.{part}", value)
    country = address["country"]
    if not re.fullmatch(r"[A-Z]{2}", country) or country not in Locale("en").territories:
        raise InvalidError("Give the country as two letters, such as BG.", field="address.country")


def _check_line(field: str, value: str) -> None:
    """Names and numbers go into headers of e-mails and onto labels: one line, and not empty."""
    if not value.strip() or not value.isprintable():
        raise InvalidError("{name} must be one line of text.", field=field, name=field)
