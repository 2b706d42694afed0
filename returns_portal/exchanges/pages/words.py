"""Words for where an exchange stands, shared by customers' and staff's pages."""

from typing import Literal

import msgspec

from returns_portal.exchanges.models import ChargeStatus, ExchangeStatus
from returns_portal.exchanges.pages.at_once import at_once_lead
from returns_portal.exchanges.queries import ExchangeView
from returns_portal.i18n import _
from returns_portal.web import formats

S = ExchangeStatus
_ASKING = frozenset({ChargeStatus.SUBMITTING, ChargeStatus.UNKNOWN, ChargeStatus.CANCELING})
_BEFORE = frozenset({S.AWAITING_PAYMENT, S.AWAITING_HOLD})


class Word(msgspec.Struct, frozen=True):
    """A status in a word, with its colour."""

    text: str
    kind: Literal["good", "wait", "bad", ""]


def status_word(status: ExchangeStatus) -> Word:
    """A status, for badges and lists."""
    words = {
        S.AWAITING_HOLD: Word(_("waits for a card"), "wait"),
        S.AWAITING_PAYMENT: Word(_("waits for a payment"), "wait"),
        S.AWAITING_GOODS: Word(_("set aside"), "wait"),
        S.TO_SEND: Word(_("to be sent"), "wait"),
        S.SENT: Word(_("sent"), "good"),
        S.ENDED: Word(_("ended"), ""),
    }
    return words[status]


def card_word(exchange: ExchangeView) -> Word:
    """How safe the price is of something that was sent before the goods are back, for staff."""
    if exchange.hold is not None:
        return Word(_("being charged"), "wait") if exchange.outcome else Word(_("held until"), "good")
    return Word(_("being asked"), "wait") if is_asking(exchange) else Word(_("not held: at risk"), "bad")


def is_asking(exchange: ExchangeView) -> bool:
    """Whether a bank is being asked, so that nothing else can be done about a payment just now."""
    if exchange.due and exchange.covered_at is None and exchange.hold is not None:
        return True
    return exchange.charge is not None and exchange.charge.status in _ASKING


def title_of(exchange: ExchangeView) -> str:
    """What the customer reads first."""
    is_due = exchange.due > 0 and exchange.covered_at is None
    if (exchange.status in _BEFORE or is_due) and is_asking(exchange):
        return _("We are asking your bank")
    if is_due:
        return _("Please pay {amount}", amount=formats.money(exchange.due, exchange.currency))
    titles = {
        S.AWAITING_HOLD: _("Give a card, and it goes out at once"),
        S.AWAITING_PAYMENT: _(
            "Pay {amount}, and it is yours", amount=formats.money(exchange.to_pay, exchange.currency)
        ),
        S.AWAITING_GOODS: _("It is set aside for you"),
        S.TO_SEND: _("We are packing it"),
        S.SENT: _("It is on its way to you"),
        S.ENDED: _("This exchange has ended"),
    }
    return titles[exchange.status]


def lead_of(exchange: ExchangeView) -> list[str]:
    """What happens next, in sentences; why it ended is said by the template's own words."""
    until = formats.format_date(exchange.reserved_until, "day")
    if exchange.status is S.AWAITING_PAYMENT and exchange.arrived_at is not None:
        return [
            _(
                "What you sent back is here. We keep this for you until {day}; after that you get your money back.",
                day=until,
            )
        ]
    if exchange.status is S.AWAITING_PAYMENT:
        return [_("It costs more than what you send back. It is set aside for you until {day}.", day=until)]
    if exchange.at_once:
        return at_once_lead(exchange)
    if exchange.status is S.AWAITING_GOODS:
        return [
            _(
                "As soon as we have checked in what you send back, it goes out. We keep it for you until {day}.",
                day=until,
            )
        ]
    if exchange.status is S.TO_SEND:
        return [_("What you sent back is here and in order.")]
    sent_at = exchange.sent_at
    return [_("It left us on {day}.", day=formats.format_date(sent_at, "day"))] if sent_at is not None else []
