"""Everything about a person on paper: the same as the file, in words that people read."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from returns_portal import i18n
from returns_portal.documents.record import Record, Section
from returns_portal.i18n import _
from returns_portal.privacy.asked import LookedFor, Question
from returns_portal.privacy.data import Everything, GiftSentBack, OrderPlaced, RefundMade, ReturnFiled
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo
from returns_portal.web import formats

MOST_ROWS: Final = 1000
"""Rows on paper, which take seconds to lay out; the file has all."""


def paper_of(found: Everything, shop: ShopInfo, settings: Settings, *, locale: str) -> Record:
    """The paper, in a language."""
    with i18n.speaking(locale):
        formats.zone.set(shop.timezone)
        sections, whole = _cut([*_sections(found)])
        return Record(
            locale=i18n.current(),
            shop_name=shop.name,
            contact=f"{shop.phone} · {shop.email}",
            title=_("Everything that we keep about you"),
            lead=_("{email}, as of {moment}.", email=found.email, moment=_moment(found.made_at)),
            sections=sections,
            closing="" if whole else _("There is more than fits on paper; the file that came with it has all of it."),
            mode="" if settings.livemode else _("Sandbox – no money moves"),
        )


def _cut(sections: list[Section]) -> tuple[list[Section], bool]:
    """As many rows as fit, and whether these are all."""
    left, kept = MOST_ROWS, []
    for section in sections:
        rows = section.rows[:left]
        if rows:
            kept.append(Section(section.heading, rows))
        left -= len(rows)
    return kept, sum(len(section.rows) for section in sections) <= MOST_ROWS


def _sections(found: Everything) -> Iterator[Section]:
    for order in found.orders:
        yield Section(_("Order {number}", number=order.number), [*_order(order)])
        for filed in order.returns:
            yield Section(_("Return {number}", number=filed.number), [*_return(filed)])
    for gift in found.gifts:
        yield Section(_("A gift that you sent back"), [*_gift(gift)])
        for filed in gift.returns:
            yield Section(_("Return {number}", number=filed.number), [*_return(filed)])
    for trial in found.trials:
        rows = [(_("Status"), trial.status), (_("Agreed on"), _moment(trial.consented_at)), (_("Terms"), trial.terms)]
        rows += [(_("Problem"), problem) for problem in trial.problems]
        yield Section(_("Trial {number}", number=trial.number), [*rows, (_("Photos"), str(trial.photos))])
    for one in found.withdrawals:
        stated = [(_("Name"), one.name), (_("E-mail"), one.email), (_("What you wrote"), one.details)]
        yield Section(_("Withdrawal from order {number}", number=one.order_number), _filled(stated, one.submitted_at))
    yield from (_question(asked) for asked in found.questions)
    yield from (_looked_for(wish) for wish in found.looked_for)
    if found.points:
        moved = [
            (_moment(line.at), f"{line.points:+} {line.currency} {line.kind} {line.reason}") for line in found.points
        ]
        yield Section(_("Points"), moved)
    if found.letters:
        sent = [(_moment(line.written_at), f"{line.channel} {line.about}: {line.recipient}") for line in found.letters]
        yield Section(_("E-mails and messages to you"), sent)
    if found.sessions:
        opened = [(_moment(one.opened_at), _("order {number}", number=one.order_number)) for one in found.sessions]
        yield Section(_("When you came in"), opened)


def _question(asked: Question) -> Section:
    written = [(_moment(one.at), one.text) for one in asked.messages if one.text]
    said = [(_("What should we know?"), asked.comment)] if asked.comment else []
    return Section(_("Question {number}", number=asked.number), [(_("E-mail"), asked.email), *written, *said])


def _looked_for(wish: LookedFor) -> Section:
    rows = [(_("E-mail"), wish.email), (_("What you wrote"), wish.words), (_("Answer"), wish.answer)]
    rows += [(_("The other shop"), shop) for shop in wish.named]
    what = " ".join(part for part in (wish.what, wish.size, wish.color) if part)
    return Section(_("You looked for: {what}", what=what), _filled(rows, wish.asked_at))


def _filled(rows: list[tuple[str, str]], at: datetime) -> list[tuple[str, str]]:
    return [(_("Received"), _moment(at)), *((label, text) for label, text in rows if text)]


def _order(order: OrderPlaced) -> Iterator[tuple[str, str]]:
    address = ", ".join(part for part in order.address.values() if part)
    facts = [
        (_("Placed"), _moment(order.placed_at)),
        (_("Name"), order.name),
        (_("E-mail"), order.email),
        (_("Telephone"), order.phone),
        (_("Address"), address),
        (_("Language"), order.language),
        (_("Total"), formats.money(order.total, order.currency)),
    ]
    yield from ((label, text) for label, text in facts if text)
    for line in order.lines:
        what = " ".join(part for part in (line.title, line.size, line.color) if part)
        yield _("Item"), f"{line.quantity} × {what}, {formats.money(line.paid, order.currency)}"
    for payment in order.payments:
        how = " ".join(
            part for part in (payment.tender, payment.method, payment.card_brand, payment.card_last4) if part
        )
        yield _("Paid"), f"{formats.money(payment.amount, payment.currency)}, {how}"
    for refund in order.refunds:
        yield _("Refund"), _refund(refund)
    for each in order.claims:
        said = ", ".join(part for part in (*each.items, each.kind, each.status, each.said, each.answer) if part)
        yield _("You told us"), f"{_moment(each.filed_at)}: {said}"
        for anew in each.sent_anew:
            told = (anew.number, *anew.items, anew.status, anew.carrier, anew.tracking)
            yield _("Sent anew"), ", ".join(part for part in told if part)
    for call in order.calls:
        yield _("Call about your order"), ", ".join([_moment(call.asked_at), *call.reasons, *call.tries])
    for dispute in order.disputes:
        yield _("Asked by your bank"), dispute
    for claim in order.carrier_claims:
        yield _("Asked of the carrier"), claim


def _gift(gift: GiftSentBack) -> Iterator[tuple[str, str]]:
    address = ", ".join(part for part in gift.address.values() if part)
    facts = [(_("Name"), gift.name), (_("E-mail"), gift.email), (_("Address"), address), (_("Language"), gift.language)]
    yield from ((label, text) for label, text in facts if text)
    for refund in gift.refunds:
        yield _("Refund"), _refund(refund)


def _refund(refund: RefundMade) -> str:
    when = _moment(refund.settled_at or refund.requested_at)
    told = (formats.money(refund.amount, refund.currency), refund.destination, refund.status, when, refund.reason)
    return ", ".join(part for part in told if part)


def _return(filed: ReturnFiled) -> Iterator[tuple[str, str]]:
    yield _("Filed"), _moment(filed.filed_at)
    yield _("Status"), filed.status
    if filed.in_parcel_of:
        yield _("In the parcel of return"), filed.in_parcel_of
    for line in filed.lines:
        yield _("Item"), f"{line.quantity} × {line.title}" + (f": {line.reason}" if line.reason else "")
    for label in filed.labels:
        yield _("Label"), " ".join(part for part in (label.carrier, label.tracking, _moment(label.created_at)) if part)
    for pickup in filed.pickups:
        yield _("Pick-up"), f"{_moment(pickup.begins_at)}, {pickup.address}, {pickup.phone}"
    for each in filed.exchanges:
        named = " ".join(part for part in (each.title, each.size, each.color) if part)
        price = formats.money(each.price, each.currency) if each.price is not None else ""
        yield _("In exchange"), ", ".join(filter(None, (f"{each.number}: {named}", price, each.status)))
    for parcel in filed.parcels:
        counted = "; ".join([*parcel.counted, *([parcel.note] if parcel.note else [])])
        yield _("Arrived"), f"{_moment(parcel.checked_in_at)}: {counted}"
        if parcel.photos:
            yield _("Photos"), str(parcel.photos)


def _moment(moment: datetime) -> str:
    return formats.format_datetime(moment, "medium")
