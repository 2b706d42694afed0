"""The customer's page of one refund: where it stands, and what they can do when it did not go through."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import DomainError, InvalidError, NotFoundError
from returns_portal.i18n import _
from returns_portal.refunds.failed import Ways, give_account, take_points, take_transfer, try_again, ways_of
from returns_portal.refunds.filing import sealed
from returns_portal.refunds.models import Destination, RefundStatus
from returns_portal.refunds.queries import RefundView, refund_for
from returns_portal.returns.bank import account_number
from returns_portal.returns.door import to_the_door
from returns_portal.returns.pages.route import refund_step
from returns_portal.returns.pages.steps import Step
from returns_portal.returns.pages.words import Amount, leg_words, sentence, where_words
from returns_portal.web import Form, flash, form, formats, page, redirect, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Kind = Literal["good", "wait", "bad"]

_MAX_ACCOUNT: Final = 64
_WAITING: Final = frozenset({RefundStatus.PLANNED, RefundStatus.AWAITING_TRANSFER})


class RefundPage(msgspec.Struct, frozen=True):
    """Everything that the page shows."""

    refund: RefundView
    badge: str
    kind: Kind
    title: str
    amount: Amount
    steps: list[Step]
    ways: Ways | None
    asks_account: bool


@get("/refunds/{refund_id:uuid}")
async def show(request: AnyRequest, db: Db, actor: By, refund_id: FromPath[UUID]) -> Response[Any]:
    """One refund, for the customer whose it is; staff are shown more on their own page."""
    if actor.kind == "staff":
        return redirect(f"/finance/refunds/{refund_id}")
    if actor.order_id is None:
        return to_the_door(request)
    return await _show(request, db, actor, refund_id)


async def _show(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    refund_id: UUID,
    *,
    typed: Form | None = None,
    errors: dict[str, str] | None = None,
) -> Response[Any]:
    # Days that are put into words here are days of the shop's zone, as they are in templates.
    formats.zone.set(site(request).shop.timezone)
    refund = await refund_for(db, actor, refund_id)
    ways = (await ways_of(db, actor, [refund_id])).get(refund_id)
    shown = _page(refund, ways)
    status = 422 if errors else 200
    return page(request, "refunds/show.html", status=status, page=shown, typed=typed or {}, errors=errors or {})


def _page(refund: RefundView, ways: Ways | None) -> RefundPage:
    to_transfer = refund.destination == Destination.TRANSFER and refund.status in _WAITING
    asks = to_transfer and not refund.has_account
    ladder: list[tuple[bool, Kind, str, str]] = [
        (refund.status == RefundStatus.FAILED, "bad", _("Waiting for you"), _("Your refund did not go through")),
        (asks, "wait", _("Waiting for you"), _("Where should we transfer the money?")),
        (refund.status == RefundStatus.SUCCEEDED, "good", _("Refunded"), _("Your refund is done")),
        (True, "wait", _("On its way"), _("Your refund is on its way")),
    ]
    badge, kind, title = next((badge, kind, title) for holds, kind, badge, title in ladder if holds)
    amount = Amount(
        leg_words(refund.destination, refund.amount, refund.bonus, refund.currency),
        where_words(refund.destination, refund.card_last4),
    )
    return RefundPage(refund, badge, kind, title, amount, [refund_step(refund)], ways, to_transfer)


@post("/refunds/{refund_id:uuid}/attempts", status_code=200)
async def again(request: AnyRequest, db: Db, actor: By, refund_id: FromPath[UUID]) -> Response[Any]:
    """Let the same card be tried once more."""
    done = _("We are trying the card once more. You hear from us by e-mail.")
    return await _choose(request, db, actor, refund_id, done, lambda _sent: try_again(db, actor, refund_id))


@post("/refunds/{refund_id:uuid}/points", status_code=200)
async def points(request: AnyRequest, db: Db, actor: By, refund_id: FromPath[UUID]) -> Response[Any]:
    """Take points instead, if the customer says so expressly."""
    done = _("Thank you. The points are on their way to your account.")
    return await _choose(
        request,
        db,
        actor,
        refund_id,
        done,
        lambda sent: take_points(db, actor, refund_id, agreed=sent.get("agreed") == "yes"),
    )


@post("/refunds/{refund_id:uuid}/transfer", status_code=200)
async def transfer(request: AnyRequest, db: Db, actor: By, refund_id: FromPath[UUID]) -> Response[Any]:
    """Have it transferred to an account."""
    done = _("Thank you. The transfer goes to this account, and the number is deleted once it is made.")
    return await _choose(
        request,
        db,
        actor,
        refund_id,
        done,
        lambda sent: take_transfer(db, actor, refund_id, _account(request, sent)),
    )


@post("/refunds/{refund_id:uuid}/bank-account", status_code=200)
async def bank_account(request: AnyRequest, db: Db, actor: By, refund_id: FromPath[UUID]) -> Response[Any]:
    """Take the account number that a transfer goes to."""
    done = _("Thank you. The transfer goes to this account, and the number is deleted once it is made.")
    return await _choose(
        request, db, actor, refund_id, done, lambda sent: give_account(db, actor, refund_id, _account(request, sent))
    )


async def _choose(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    refund_id: UUID,
    done: str,
    action: Callable[[Form], Awaitable[None]],
) -> Response[Any]:
    """Do what the customer chose; what cannot be is said where it was typed, or on the page as it stands now."""
    if actor.kind != "customer" or actor.order_id is None:
        return to_the_door(request)
    sent = await form(request)
    refund = await refund_for(db, actor, refund_id)
    try:
        # A savepoint: what fails leaves nothing behind, and the page can still be read from this transaction.
        async with db.begin_nested():
            await action(sent)
    except NotFoundError:
        raise
    except InvalidError as error:
        errors = {error.field or "": sentence(error)}
        return await _show(request, db, actor, refund_id, typed=sent, errors=errors)
    except DomainError as error:
        flash(request, sentence(error), "wait")
    else:
        flash(request, done)
    return redirect(f"/returns/{refund.rma}" if refund.rma else f"/refunds/{refund_id}")


def _account(request: AnyRequest, sent: Form) -> str:
    """The account number that was typed, checked and encrypted.

    Raises:
        InvalidError: it is none.
    """
    return sealed(site(request).settings, account_number(sent.get("bank_account", "")[:_MAX_ACCOUNT]))


routes: list[Any] = [show, again, points, transfer, bank_account]
