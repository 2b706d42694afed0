"""The checkout: one form, one order, however often it is sent."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.actions import end_session, open_for_placed
from returns_portal.accounts.idempotency import once
from returns_portal.accounts.limits import Limit, bucket, count, hit
from returns_portal.accounts.rules import CUSTOMER_SESSION, email_key
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import _, mark
from returns_portal.shop.queries import current
from returns_portal.tryon.models import Mode
from returns_portal.tryon.ordering import TrialInput
from returns_portal.tryon.pages import cards
from returns_portal.tryon.pages.basket import BASKET_COOKIE, basket_page, entries_of
from returns_portal.tryon.pages.checkout import LENGTHS, CheckoutPage, Purse, checked, checkout_page, purse_of, wanted
from returns_portal.tryon.pages.words import sentence
from returns_portal.tryon.placing import place
from returns_portal.tryon.queries import policy
from returns_portal.web import Form, client_network, flash, form, formats, page, redirect, site
from returns_portal.web.signing import SESSION_COOKIE, cookie, derive, forget
from returns_portal.web.site import ANONYMOUS
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]
Errors = dict[str, str]

_TRIES: Final = 30
"""Orders that one household may try to place in ten minutes: who tries out stolen cards needs many more."""
_PLACED: Final = 10
"""Orders that one household may place in an hour: each takes its items from the stock before any bank has agreed."""
_KEYED: Final = ("token", "mode", "points", *LENGTHS)


@get("/checkout")
async def show_checkout(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """Ask for what is needed to send it."""
    formats.zone.set(site(request).shop.timezone)
    mode = _mode(request.query_params.get("mode", ""))
    shown, purse = await _read(request, db, actor, mode)
    if _not_ready(shown):
        return redirect("/basket")
    return _show(request, shown, purse, typed={}, errors={})


def _mode(text: str) -> Mode:
    return Mode.PURCHASE if text == Mode.PURCHASE else Mode.TRIAL


def _not_ready(shown: CheckoutPage) -> bool:
    """Whether the basket itself says what is in the way."""
    refused = shown.mode is Mode.TRIAL and shown.basket.refused
    return not shown.basket.rows or bool(shown.basket.blocked) or bool(refused)


async def _read(
    request: AnyRequest, db: AsyncConnection, actor: Actor, mode: Mode
) -> tuple[CheckoutPage, Purse | None]:
    rules, shop, entries = await policy(db), await current(db), entries_of(request)
    basket = await basket_page(db, entries, rules, shop, mode=mode)
    purse = await purse_of(db, actor, basket.offer.currency)
    return await checkout_page(db, entries, rules, shop, mode, purse), purse


def _show(
    request: AnyRequest, shown: CheckoutPage, purse: Purse | None, *, typed: Mapping[str, str], errors: Errors
) -> Response[Any]:
    settings = site(request).settings
    return page(
        request,
        "tryon/checkout.html",
        status=422 if errors else 200,
        checkout=shown,
        typed={name: value for name, value in typed.items() if name not in cards.FIELDS},
        errors=errors,
        token=typed.get("token") or secrets.token_urlsafe(16),
        typed_card=settings.sandbox,
        card_ready=settings.sandbox or bool(settings.stripe_publishable_key),
        own_points=purse is not None and bool(shown.points),
    )


@post("/checkout", status_code=200, onlookers=True)
async def send_checkout(request: AnyRequest) -> Response[Any]:
    """Place the order. Sent twice, there is one; refused, everything that was typed comes back but the card."""
    here, sent = site(request), await form(request)
    limit = bucket(derive(here.secret, "checkout"), "checkout:client", client_network(request.scope))
    await hit(here.begin, Limit(limit, times=_TRIES, seconds=600))
    async with asking(request) as (db, actor):
        formats.zone.set(here.shop.timezone)
        mode = _mode(sent.get("mode", ""))
        errors = checked(sent)
        method, refused = cards.payment_method(sent) if here.settings.sandbox else (None, {})
        errors |= refused
        if not errors:
            try:
                # A savepoint: what fails leaves nothing behind, and the page can still be read from this transaction.
                async with db.begin_nested():
                    number, order_id = await _place_once(request, db, actor, sent, method)
                return await _placed(request, db, actor, sent, number, order_id)
            except (InvalidError, ConflictError) as error:
                discreet = error.code == "too_many_trials" and not await _is_theirs(db, actor, sent)
                errors = {
                    _field(error): _("We cannot send this to be tried just now.") if discreet else sentence(error)
                }
        shown, purse = await _read(request, db, actor, mode)
        if not shown.basket.rows:
            flash(request, errors.get("", _("The basket is empty.")), "wait")
            return redirect("/basket")
        return _show(request, shown, purse, typed=sent, errors=errors)


async def _is_theirs(db: AsyncConnection, actor: Actor, sent: Form) -> bool:
    """Whether it is shown whose address was typed: to nobody else is anything said of what is under way with it."""
    purse = await purse_of(db, actor, "")
    return actor.kind == "staff" or (purse is not None and purse.email_key == email_key(sent["email"]))


def _field(error: InvalidError | ConflictError) -> str:
    """Where on the page an error is told: beside its field, or above them all."""
    name = (error.field or "").removeprefix("shipping_address.")
    return "" if name in {"items", "payment_method", "trial_days"} else name


async def _place_once(
    request: AnyRequest, db: AsyncConnection, actor: Actor, sent: Form, method: str | None
) -> tuple[str, UUID]:
    """Place it, unless this very form was sent before: then it is the order of back then. Its number and id."""
    # What was typed is part of the key: a form that was changed after going back is another wish, not a repetition.
    said = "\n".join(sent.get(name, "") for name in _KEYED)
    key = hashlib.sha256(said.encode()).hexdigest() if sent.get("token") else None

    async def work() -> tuple[int, object]:
        if actor.kind != "staff":
            await _count_order(request, db)
        trial = await place(db, actor, site(request).settings, await _agreed(request, db, actor, sent, method))
        return 303, {"number": trial.number, "order_id": str(trial.order_id)}

    # The second click may come with another session than the first, which has opened one.
    _status, answer, _repeated = await once(db, ANONYMOUS, key, b"", work)
    told: Any = answer
    return str(told["number"]), UUID(told["order_id"])


async def _count_order(request: AnyRequest, db: AsyncConnection) -> None:
    """Count an order that is really placed; one that is refused afterwards is not counted.

    Raises:
        ConflictError: there were too many from there within the hour.
    """
    network = bucket(derive(site(request).secret, "checkout"), "checkout:placed", client_network(request.scope))
    if await count(db, Limit(network, times=_PLACED, seconds=3600)):
        raise ConflictError(
            mark("Many orders came from your network just now. Your basket is kept: please try again in an hour."),
            code="too_many_orders",
        )


async def _agreed(request: AnyRequest, db: AsyncConnection, actor: Actor, sent: Form, method: str | None) -> TrialInput:
    """The order, where the terms that were agreed to are the terms, and the points are the customer's.

    Raises:
        InvalidError: the basket or the terms have changed meanwhile, or it is not shown whose the points are.
    """
    shown, purse = await _read(request, db, actor, _mode(sent.get("mode", "")))
    if not shown.basket.rows:
        raise InvalidError(mark("The basket is empty."))
    if sent.get("terms") != shown.seal:
        raise InvalidError(
            mark("The prices or the terms have changed meanwhile. Please read them again, and agree to them anew."),
            field="consent",
        )
    order = wanted(sent, shown, method)
    # Without that proof nothing is said of the points of an address, not even whether it has any.
    if order.points and (purse is None or purse.email_key != email_key(order.email)):
        raise InvalidError(
            mark("Points can be used with the e-mail address by whose code you came in. Leave them out, or come in."),
            field="points",
        )
    if order.points > shown.points:
        raise InvalidError(mark("At most {most} points can be used here."), field="points", most=shown.points)
    return order


async def _placed(
    request: AnyRequest, db: AsyncConnection, actor: Actor, sent: Form, number: str, order_id: UUID
) -> Redirect:
    """To the order's page, signed in for this order alone; staff who order for somebody stay who they are."""
    answer = redirect(f"/trials/{number}")
    answer.set_cookie(forget(BASKET_COOKIE))
    if actor.kind == "staff":
        return answer
    proven = await _is_theirs(db, actor, sent)
    if token := request.cookies.get(SESSION_COOKIE):
        await end_session(db, token)
    token = await open_for_placed(db, order_id, knows_inbox=proven)
    answer.set_cookie(cookie(SESSION_COOKIE, token, lasting=CUSTOMER_SESSION))
    return answer


routes: list[Any] = [show_checkout, send_checkout]
