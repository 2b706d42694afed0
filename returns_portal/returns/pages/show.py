"""The page of one return: where it stands, what goes where, and what the customer can still do."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import i18n
from returns_portal.actor import Actor
from returns_portal.carriers.names import PICK_UP
from returns_portal.carriers.prepaid import PREPAID
from returns_portal.documents.symbols import qr_svg
from returns_portal.exchanges.pages.words import Word, status_word
from returns_portal.exchanges.queries import ExchangeView, exchanges_of_return
from returns_portal.finance import credit_notes
from returns_portal.finance.credit_notes import NoteLink
from returns_portal.i18n import _
from returns_portal.labels.addresses import address_lines, address_name, country_name
from returns_portal.labels.content import PostalAddress
from returns_portal.labels.models import LabelStatus
from returns_portal.labels.policy import habits
from returns_portal.policies.content import Postage
from returns_portal.policies.queries import in_force
from returns_portal.questions import ask, ask_together
from returns_portal.refunds import queries as refunds_queries
from returns_portal.refunds.failed import Ways, ways_of
from returns_portal.refunds.models import RefundStatus
from returns_portal.refunds.queries import RefundView
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.pages.counts import Counted, counted, is_kept
from returns_portal.returns.pages.promise import OtherWay, promise_of
from returns_portal.returns.pages.route import steps
from returns_portal.returns.pages.standing import Kind, is_missing, standing
from returns_portal.returns.pages.steps import Step
from returns_portal.returns.pages.travel import travel_of
from returns_portal.returns.pages.words import Amount, item_words
from returns_portal.returns.queries import Rest, ReturnView, rest_of, return_for, something_left
from returns_portal.returns.rules import Policy
from returns_portal.returns.together import knows_other_orders
from returns_portal.shop.queries import ShopInfo, current
from returns_portal.tryon.announcing import awaited_by
from returns_portal.warehouse import queries as dock
from returns_portal.warehouse.queries import ParcelView
from returns_portal.web import formats

_UNUSED: Final = frozenset({"", LabelStatus.BOUGHT, LabelStatus.SENT})
"""Statuses of a label that is still to go on a parcel, as far as is known."""
_OVER: Final = frozenset({LabelStatus.VOIDED, LabelStatus.EXPIRED})
_AT_HAND: Final = _UNUSED | {LabelStatus.IN_TRANSIT, LabelStatus.DELIVERED}
"""Statuses of a first label that was made and holds, so that others can go with it."""


class LabelState(msgspec.Struct, frozen=True):
    """What can be done with the label."""

    sendable: bool
    """Whether nothing of it has come yet, so that its label is what the customer needs."""
    has_label: bool
    """Whether something is still to be sent with it."""
    shown: bool
    """Whether the code on the screen does where the parcel is handed in, so that nothing has to be printed."""
    renewable: bool
    """Whether its label was given back or has ended, so that another one can be had."""
    fetched: bool
    """Whether somebody may come and fetch the parcel."""


class ShowPage(msgspec.Struct, frozen=True):
    """Everything that the page shows."""

    view: ReturnView
    badge: str
    kind: Kind
    title: str
    items: list[str]
    amounts: list[Amount]
    """What will go back or is going back, and where to."""
    promised: bool
    """Whether the amounts are what will be refunded when everything comes back, not what is being refunded."""
    other: OtherWay | None
    """Where the money could go instead; None where that can no longer be chosen."""
    notes: list[NoteLink]
    """Credit notes, and what cancels them."""
    qr: str
    exchanges: list[tuple[ExchangeView, Word]]
    """What is sent instead of what comes back, and where each of it stands."""
    steps: list[Step]
    parcels: list[Counted]
    cancellable: bool
    changeable: bool
    """Whether items can be added and taken out."""
    trial: str
    """The number of the trial whose label this is, until that is settled."""
    label: LabelState
    failed: list[tuple[RefundView, Ways]]
    """Refunds that did not go through, with what the customer can do about each."""
    asks_account: bool
    """Whether an account number is needed, or may still be changed."""
    postage: str
    """What is kept for sending it back, where anything is."""
    sent_to: list[str]
    """Where it is sent with a label of the customer's own, line by line; empty for any other."""
    kept: bool
    """Whether the customer keeps the goods."""
    more: bool
    """Whether anything else of the order can be sent back."""
    shares: bool
    """Whether its parcel holds returns of other orders, or can."""


class _Facts(msgspec.Struct, frozen=True):
    """What is read of a return besides its view."""

    rest: Rest
    refunds: list[RefundView] = []
    parcels: list[ParcelView] = []
    notes: list[NoteLink] = []


async def show_page(db: AsyncConnection, actor: Actor, rma: str) -> ShowPage:
    """Put the page together.

    Raises:
        NotFoundError: there is no such return, or it is not the actor's.
    """
    view, shop = await return_for(db, actor, rma), await current(db)
    facts = await _facts(db, actor, view)
    exchanges = await exchanges_of_return(db, actor, view.id) if view.exchanged else []
    promise = await promise_of(db, actor, view, facts.refunds, shop.timezone, exchanges)
    content = (await in_force(db, facts.rest.placed_at)).content
    badge, kind, title = standing(view, facts.parcels, facts.refunds)
    trial = await awaited_by(db, view)
    travel = await travel_of(db, view, outside=promise.outside)
    label = await _label(db, view)
    return ShowPage(
        view=view,
        badge=badge,
        kind=kind,
        title=title,
        items=[item_words(line.title, line.size, line.color, line.quantity) for line in view.lines if line.quantity],
        amounts=promise.amounts,
        promised=promise.promised,
        other=promise.other,
        notes=facts.notes,
        qr=qr_svg(view.label_qr or view.label_code, title=_("QR code of return {rma}", rma=view.rma)),
        exchanges=[(each, status_word(each.status)) for each in exchanges],
        steps=steps(view, facts.parcels, facts.refunds, travel, exchanges),
        parcels=[counted(parcel, view.lines, len(facts.parcels)) for parcel in facts.parcels],
        cancellable=view.status == ReturnStatus.FILED and not trial and view.first_scan_at is None,
        changeable=is_changeable(view),
        trial=trial,
        label=label,
        failed=await _failed(db, actor, facts.refunds),
        asks_account=promise.outside,
        postage=_postage(view, facts.refunds),
        sent_to=_address(shop) if _sends(view) else [],
        kept=is_kept(facts.parcels),
        shares=knows_other_orders(actor) and view.status != ReturnStatus.CANCELLED and _shares(view, facts.rest, label),
        more=view.gift_id is None and something_left(facts.rest, Policy(content.longest_window, shop.timezone)),
    )


def is_changeable(view: ReturnView) -> bool:
    """Whether items can be added and taken out, see `returns.changing`: as long as only the customer has the parcel."""
    free = not view.of_trial and not view.of_claim and view.gift_id is None
    return view.status == ReturnStatus.FILED and free and view.first_scan_at is None and view.proof_at is None


def _shares(view: ReturnView, rest: Rest, label: LabelState) -> bool:
    """Whether there is anything to say or do about other orders in the parcel."""
    open_ = label.has_label or _sends(view)
    can_lead = view.status == ReturnStatus.FILED and open_ and view.first_scan_at is None and view.proof_at is None
    return bool(view.fellows or view.in_parcel_of) or (
        can_lead and rest.others and not view.of_trial and view.gift_id is None
    )


def _sends(view: ReturnView) -> bool:
    """Whether it is to be sent with a label of the customer's own, and leads its parcel."""
    return _is_own(view) and view.status == ReturnStatus.FILED and not view.in_parcel_of


async def _facts(db: AsyncConnection, actor: Actor, view: ReturnView) -> _Facts:
    if view.status != ReturnStatus.RECEIVED:
        [rest] = await ask(db, rest_of(view.order_id))
        return _Facts(rest)
    refunds, parcels, notes, [rest] = await ask_together(
        db,
        refunds_queries.of_return(actor, view.id),
        dock.of_return(actor, view.id),
        credit_notes.of_return(actor, view.id),
        rest_of(view.order_id),
    )
    return _Facts(rest, [refund for refund in refunds if refund.status != RefundStatus.CANCELED], parcels, notes)


async def _label(db: AsyncConnection, view: ReturnView) -> LabelState:
    stands, own = view.status != ReturnStatus.CANCELLED, _is_own(view) or bool(view.in_parcel_of)
    return LabelState(
        sendable=view.status == ReturnStatus.FILED and not own and view.label_status in _AT_HAND,
        has_label=stands and not own and view.label_status in _UNUSED and is_missing(view),
        shown=view.label_carrier in ("", PREPAID) or bool(view.label_qr),
        renewable=stands and view.label_status in _OVER and not view.in_parcel_of,
        fetched=view.label_carrier in PICK_UP or (await habits(db)).own_courier,
    )


def _is_own(view: ReturnView) -> bool:
    """Whether it is sent with a label of the customer's own."""
    return view.postage == Postage.OWN_LABEL


def _postage(view: ReturnView, refunds: Sequence[RefundView]) -> str:
    kept = sum(refund.fee for refund in refunds)
    if kept:
        return _("Return postage of {fee} is taken off.", fee=formats.money(kept, view.currency))
    if view.postage_fee and view.status == ReturnStatus.FILED:
        fee = formats.money(view.postage_fee, view.currency)
        return _("Return postage of {fee} is taken off where your items are worth more than that.", fee=fee)
    return ""


def _address(shop: ShopInfo) -> list[str]:
    address = PostalAddress(**{part: shop.address.get(part, "") for part in PostalAddress.__struct_fields__})
    country = country_name(address.country, i18n.formatting_locale(i18n.current()))
    return [address_name(address), *address_lines(address), country]


async def _failed(db: AsyncConnection, actor: Actor, refunds: Sequence[RefundView]) -> list[tuple[RefundView, Ways]]:
    failed = [refund for refund in refunds if refund.status == RefundStatus.FAILED]
    ways = await ways_of(db, actor, [refund.id for refund in failed])
    return [(refund, ways[refund.id]) for refund in failed if refund.id in ways]
