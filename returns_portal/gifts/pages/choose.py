"""What the receiver sends back, and where their parcel comes from."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, i18n
from returns_portal.accounts.idempotency import once
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.exchanges.offers import Offer
from returns_portal.gifts.actions import Sender, file_gift, gift_of, left_of, order_behind
from returns_portal.gifts.swapping import offered
from returns_portal.i18n import _
from returns_portal.labels.addresses import countries
from returns_portal.returns.actions import Wanted
from returns_portal.returns.judging import Judgement, judgement
from returns_portal.returns.pages.words import sentence
from returns_portal.returns.queries import OrderLineState, OrderState, facts_of, line_of, returns_of_gift
from returns_portal.returns.rules import refusal
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, page, redirect

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Errors = dict[str, str]

_MAX_SKU: Final = 100
_POINTS: Final = "points:"
"""What stands for points among articles. None of those can be meant by it: what is not offered is refused."""
_PLACE: Final = {"name": 100, "line1": 150, "city": 100, "postal_code": 20}


@get("/gift/items")
async def items_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Show what can be sent back: what it is, and nothing of what it cost or of who gave it."""
    if actor.gift_id is None or actor.views_only:
        return redirect("/gift")
    return await _show(request, db, actor, Form({}), {})


async def _show(
    request: AnyRequest, db: AsyncConnection, actor: Actor, typed: Form, errors: Errors, status: int = 200
) -> Response[Any]:
    gift, order, shop = await gift_of(db, actor), await order_behind(db, actor), await current(db)
    judged = await judgement(db, order, shop.timezone, clock.now())
    left = {line.line_id: _left(order, line, judged) for line in order.lines}
    offers = await offered(db, actor, order, {line_id for line_id, count in left.items() if count})
    lines = [(line, left[line.line_id], _options(offers.get(line.line_id, ()))) for line in order.lines]
    return page(
        request,
        "gifts/items.html",
        status=status,
        lines=lines,
        some=any(left.values()),
        swappable=any(offers.values()),
        points=_POINTS,
        returns=await returns_of_gift(db, actor),
        typed=dict(typed) or {**gift.address, "name": gift.name},
        chosen=set(typed.all("line")),
        errors=errors,
        email=gift.email,
        countries=_countries(),
        country=shop.address.get("country", ""),
        token=typed.get("token") or secrets.token_urlsafe(16),
    )


def _options(offers: Sequence[Offer]) -> list[tuple[str, str]]:
    """Things to have in exchange, by their SKUs, in words: what they cost stands nowhere."""
    sizes = [_("Size {size}", size=offer.size) if offer.size else "" for offer in offers]
    words = [", ".join(filter(None, (size, offer.color))) for size, offer in zip(sizes, offers, strict=True)]
    return [(offer.sku, text or offer.title) for offer, text in zip(offers, words, strict=True)]


def _left(order: OrderState, line: OrderLineState, judged: Judgement) -> int:
    refused = refusal(facts_of(order), line_of(line), judged.policy(line.line_id), clock.now())
    return 0 if refused else left_of(line)


@post("/gift/items", status_code=200)
async def file(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """File the return and show its label. Sent twice, it is one return."""
    if actor.gift_id is None:
        return redirect("/gift")
    sent = await form(request)
    order = await order_behind(db, actor)
    wanted, errors = _wanted(sent, order)
    swaps = _swaps(sent, wanted, errors)
    sender = _sender(sent, errors)
    if sent.get("consent") != "yes":
        errors["consent"] = _("Please agree to points: money can go to the one who paid alone.")
    if errors:
        return await _show(request, db, actor, sent, errors, 422)

    async def work() -> tuple[int, object]:
        filed = await file_gift(db, actor, await current(db), wanted, sender, consent=True, swaps=swaps)
        return 303, {"rma": filed.rma}

    # The choice is part of the key: a form that was changed after going back is another wish, not a repetition.
    chosen = sorted(f"{line.line_id}×{line.quantity} {swaps.get(line.line_id, '')}" for line in wanted)
    key = hashlib.sha256("\n".join(["gift", sent.text("token", limit=64), *chosen]).encode()).hexdigest()
    try:
        async with db.begin_nested():
            _status, answer, _repeated = await once(db, actor, key, b"", work)
    except (ConflictError, InvalidError) as error:
        return await _show(request, db, actor, sent, {"lines": _refused(error)}, error.status)
    flash(request, _("Your return is filed. Nobody else is told of it."))
    return redirect(f"/returns/{answer['rma']}")  # type: ignore[index]  # the answer that `work` gave


def _refused(error: ConflictError | InvalidError) -> str:
    """Why nothing was filed; why exactly something cannot be sent back would tell of somebody else's returns."""
    if error.field == "swaps":
        return _("What you chose in exchange is not there any more. Choose something else for it, or points.")
    return sentence(error) if isinstance(error, InvalidError) else _("This item can no longer be sent back.")


def _swaps(sent: Form, wanted: Sequence[Wanted], errors: Errors) -> dict[UUID, str]:
    """What is wanted in exchange for what goes back, by line; of what is offered, nothing is chosen beforehand."""
    named = {line.line_id: sent.get(f"swap-{line.line_id}", _POINTS)[:_MAX_SKU] for line in wanted}
    if "" in named.values():
        errors.setdefault("lines", _("Choose for each item that goes back: points, or another size or colour."))
    return {line_id: sku for line_id, sku in named.items() if sku != _POINTS}


def _countries() -> list[tuple[str, str]]:
    return countries(i18n.formatting_locale(i18n.current()))


def _wanted(sent: Form, order: OrderState) -> tuple[list[Wanted], Errors]:
    wanted: list[Wanted] = []
    errors: Errors = {}
    for line in order.lines:
        if str(line.line_id) in sent.all("line"):
            try:
                wanted.append(Wanted(line.line_id, sent.number(f"quantity-{line.line_id}", default=1)))
            except InvalidError as error:
                errors["lines"] = sentence(error)
    if not wanted and not errors:
        errors["lines"] = _("Choose at least one item to send back.")
    return wanted, errors


def _sender(sent: Form, errors: Errors) -> Sender:
    """Where the parcel comes from, and what is missing of that."""
    parts = {name: sent.get(name, "")[: limit + 1] for name, limit in _PLACE.items()}
    for name, limit in _PLACE.items():
        if not parts[name]:
            errors[name] = _("Please fill this in: it stands on your label.")
        elif len(parts[name]) > limit:
            errors[name] = _("This is longer than {limit} characters.", limit=limit)
    country = sent.get("country", "")
    if country not in dict(_countries()):
        errors["country"] = _("Please choose a country.")
    return Sender(**parts, country=country)


routes: list[Any] = [items_page, file]
