"""The page of one trial: what its customer has, decides, and pays."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.catalog.queries import pictures_of
from returns_portal.documents.symbols import qr_svg
from returns_portal.i18n import _, translate
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.pages.steps import Step
from returns_portal.returns.pages.words import points
from returns_portal.shop.queries import current
from returns_portal.tryon.authorising import awaited
from returns_portal.tryon.calling_off import CANCELLABLE
from returns_portal.tryon.deciding import DECIDABLE
from returns_portal.tryon.models import OPEN, ChargeKind, ChargeStatus, Decision, Mode, Outcome, TrialStatus
from returns_portal.tryon.pages.standing import Standing, asks_bank, standing, steps
from returns_portal.tryon.pages.words import PROBLEMS, charged_words, days_left, details
from returns_portal.tryon.queries import Charge, Item, TrialView, photos_of, trial_for
from returns_portal.web import formats

T = TrialStatus
WANTS_CARD: Final = frozenset({T.AUTHORISATION_FAILED, T.AUTHORISATION_EXPIRED, T.PAYMENT_ACTION_NEEDED, T.OVERDUE})
"""In these another card leads on."""


class ItemRow(msgspec.Struct, frozen=True):
    """One item; `said` is what stands about it, and `editable` whether that can be changed."""

    id: UUID
    title: str
    details: str
    price: str
    decision: str
    said: str
    problem: str
    note: str
    editable: bool
    photos: list[UUID]
    picture: str
    """The address of the product's picture; empty where there is none."""


class SumRow(msgspec.Struct, frozen=True):
    """One line of the sums."""

    text: str
    value: str
    quiet: bool = True


class ShowPage(msgspec.Struct, frozen=True):
    """Everything that the page shows."""

    view: TrialView
    standing: Standing
    asking: bool
    """The bank is being asked: the page looks again by itself."""
    confirm: Charge | None
    """What the customer is to confirm, or to give a card for."""
    wants_card: bool
    failure: str
    """Why the last charge did not go through, in Stripe's code."""
    items: list[ItemRow]
    decidable: bool
    left: str
    more_days: int
    cancellable: bool
    qr: str
    """The return label's, while it can be used."""
    steps: list[Step]
    rows: list[SumRow]
    total: SumRow
    charged: list[str]
    returnable: bool


async def show_page(db: AsyncConnection, actor: Actor, number: str) -> ShowPage:
    """Put the page together.

    Raises:
        NotFoundError: there is no such trial, or it is not the actor's.
    """
    view, zone, now = await trial_for(db, actor, number), (await current(db)).timezone, clock.now()
    photos = await photos_of(db, view.id)
    asking = asks_bank(view, now)
    pictures = await pictures_of(db, [item.variant_id for item in view.items])
    items = [_item(view, item, photos.get(item.id, []), pictures.get(item.variant_id, "")) for item in view.in_order]
    running = view.status == T.DELIVERED and view.mode is Mode.TRIAL
    return ShowPage(
        view=view,
        standing=standing(view, zone, asking=asking),
        asking=asking,
        confirm=awaited(view) if view.status in OPEN else None,
        wants_card=_wants_card(view) and not asking,
        failure=next((charge.failure for charge in reversed(view.charges) if charge.failure), ""),
        items=items,
        decidable=any(item.editable for item in items),
        left=days_left(view.ends_at, now, zone) if running and view.ends_at else "",
        more_days=view.policy.extension_days if running and not view.extended_days else 0,
        cancellable=view.status in CANCELLABLE and view.shipped_at is None,
        qr=_qr(view),
        steps=steps(view, zone),
        rows=_rows(view),
        total=_total(view),
        charged=[charged_words(charge, view.card_last4) for charge in view.charges if charge.captured],
        returnable=view.status == T.SETTLED and any(item.outcome == Outcome.KEPT for item in view.items),
    )


def _wants_card(view: TrialView) -> bool:
    """Whether a card is of use: in finance's hands, only for what the customer keeps and has not paid."""
    if view.status == T.OVERDUE:
        return any(item.outcome == Outcome.OPEN and item.decision == Decision.KEEP for item in view.items)
    return view.status in WANTS_CARD


def _qr(view: TrialView) -> str:
    usable = view.rma is not None and view.return_status != ReturnStatus.CANCELLED and view.shipped_at is not None
    expected = [item for item in view.items if item.requested and not item.received and item.outcome != Outcome.KEPT]
    if not usable or not expected or view.rma is None:
        return ""
    return qr_svg(view.rma, title=_("QR code of return {rma}", rma=view.rma))


def _item(view: TrialView, item: Item, photos: Sequence[UUID], picture: str) -> ItemRow:
    sent = view.shipped_at is not None and view.status in DECIDABLE and view.mode is Mode.TRIAL
    return ItemRow(
        id=item.id,
        title=item.title,
        details=details(item.size, item.color),
        price=formats.money(item.price, view.currency),
        decision=item.decision,
        said=_said(view, item),
        problem=item.problem,
        note=item.problem_note,
        editable=sent and item.outcome not in {Outcome.KEPT, Outcome.RETURNED} and not item.received,
        photos=list(photos),
        picture=picture,
    )


def _said(view: TrialView, item: Item) -> str:
    """What stands about an item, for its customer."""
    if view.mode is Mode.PURCHASE or view.shipped_at is None:
        return ""
    if item.outcome == Outcome.KEPT:
        paid = {charge.id for charge in view.charges if charge.status == ChargeStatus.CAPTURED}
        return _("You keep it, and it is paid") if item.charge_id in paid else _("You keep it, and it is being charged")
    if item.outcome == Outcome.RETURNED or item.received:
        return _("Back with us, not charged")
    if item.decision == Decision.PROBLEM:
        return _("{problem}. It is not charged.", problem=translate(PROBLEMS.get(item.problem, PROBLEMS["damaged"])))
    if item.outcome == Outcome.WAIVED:
        return _("Not charged")
    words = {
        Decision.KEEP: _("You keep it"),
        Decision.RETURN: _("It goes back"),
        Decision.UNDECIDED: _("Not decided yet"),
    }
    return words[item.decision]


def _rows(view: TrialView) -> list[SumRow]:
    """How the sum comes about: what can be charged, what is held, what was charged in advance."""
    rows = []
    if view.mode is Mode.TRIAL and view.shipped_at is not None:
        rows.append(SumRow(_("The most that can be charged"), formats.money(view.max_charge, view.currency)))
    if view.held:
        rows.append(SumRow(_("Held on your card, not charged"), formats.money(view.held, view.currency)))
    deposit = sum(c.captured for c in view.charges if c.kind is ChargeKind.DEPOSIT and view.mode is Mode.TRIAL)
    if deposit:
        rows.append(SumRow(_("Deposit, charged at checkout"), formats.money(deposit, view.currency)))
    if view.points:
        rows.append(SumRow(_("Paid with points"), points(view.points)))
    if view.refunded:
        rows.append(SumRow(_("Paid back"), formats.money(view.refunded, view.currency)))
    return rows


def _total(view: TrialView) -> SumRow:
    if view.mode is Mode.PURCHASE or view.charged or view.status in {T.SETTLED, T.WRITTEN_OFF, T.CANCELLED}:
        paid = view.charged if view.status != T.CANCELLED else 0
        return SumRow(_("You have paid"), formats.money(paid, view.currency))
    if view.shipped_at is None:
        return SumRow(_("The most that can be charged"), formats.money(view.max_charge, view.currency))
    kept = sum(item.price for item in view.items if item.decision == Decision.KEEP and item.outcome == Outcome.OPEN)
    return SumRow(_("You keep so far, to be charged at the end"), formats.money(kept, view.currency))
