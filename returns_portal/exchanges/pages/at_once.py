"""Sentences about what is sent before the goods are back."""

from returns_portal.exchanges.models import ExchangeStatus, Outcome
from returns_portal.exchanges.queries import ExchangeView
from returns_portal.i18n import _
from returns_portal.web import formats

S = ExchangeStatus


def at_once_lead(exchange: ExchangeView) -> list[str]:
    """What happens next with what is sent before the goods are back."""
    amount = formats.money(exchange.price, exchange.currency)
    if exchange.status is S.AWAITING_HOLD:
        until = formats.format_date(exchange.reserved_until, "day")
        return [
            _(
                "We hold {amount} on your card until your items are here, and take at most what it costs more.",
                amount=amount,
            ),
            _("It is set aside for you until {day}.", day=until),
        ]
    said = [_("It left us on {day}.", day=formats.format_date(exchange.sent_at, "day"))] if exchange.sent_at else []
    if exchange.status is S.TO_SEND and exchange.outcome is None:
        return [_("It goes out before your items are back. We hold {amount} on your card for that.", amount=amount)]
    if exchange.is_lent and exchange.return_by is not None:
        day = formats.format_date(exchange.return_by, "day")
        said.append(_("We hold {amount} on your card. Send your items back by {day}.", amount=amount, day=day))
    if exchange.outcome is not None:
        said.append(_came_out(exchange))
    return said


def _came_out(exchange: ExchangeView) -> str:
    """What was taken of what was held, in a sentence."""
    amount = formats.money(exchange.due, exchange.currency)
    if exchange.outcome is Outcome.GIVEN_BACK:
        return _("It came back to us, so nothing was charged for it.")
    if exchange.outcome is Outcome.GOODS and not exchange.due:
        return _("Your items are here and in order. Nothing was charged, and your card is free again.")
    if exchange.covered_at is None:
        return _("{amount} is to be paid for it.", amount=amount)
    return _("{amount} was charged to your card for it.", amount=amount)
