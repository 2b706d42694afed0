"""What a customer's form wishes, kept as far as it can be, and what is wrong with it, by field."""

from typing import Final
from uuid import UUID

from returns_portal.catalog.search import MAX_QUERY
from returns_portal.errors import InvalidError
from returns_portal.i18n import _
from returns_portal.returns.actions import MAX_REASON
from returns_portal.returns.bank import account_number
from returns_portal.returns.models import RefundTo
from returns_portal.returns.pages.lines import Wish
from returns_portal.returns.pages.words import sentence
from returns_portal.returns.queries import OrderState
from returns_portal.web import Form

Errors = dict[str, str]
MAX_ACCOUNT: Final = 64
_MAX_SKU: Final = 100
_MAX_RMA: Final = 32


def wish_of(sent: Form, order: OrderState) -> tuple[Wish, Errors]:
    """What the form says, kept as far as it can be, and what is wrong with it, by field."""
    errors: Errors = {}
    units = units_of(sent, order, errors)
    reason, account = sent.get("reason", "")[: MAX_REASON + 1], sent.get("bank_account", "")[:MAX_ACCOUNT]
    if len(reason) > MAX_REASON:
        errors["reason"] = _("This is longer than {limit} characters.", limit=MAX_REASON)
    if account:
        account = account_of(account, errors)
    refund_to = RefundTo.POINTS if sent.get("refund_to") == RefundTo.POINTS else RefundTo.ORIGINAL
    find = " ".join(sent.get("find", "").split())[:MAX_QUERY]
    faulty, at_once = sent.get("faulty") == "yes", sent.get("exchange_at_once") == "yes"
    parcel = sent.get("in_parcel_of", "")[:_MAX_RMA]
    return Wish(units, refund_to, reason, account, faulty, _swaps(sent, order), find, at_once, parcel), errors


def _swaps(sent: Form, order: OrderState) -> dict[UUID, str]:
    """What is wanted in exchange, by line."""
    named = {line.line_id: sent.get(f"swap-{line.line_id}", "")[:_MAX_SKU] for line in order.lines}
    return {line_id: sku for line_id, sku in named.items() if sku}


def units_of(sent: Form, order: OrderState, errors: Errors) -> dict[UUID, int]:
    """How many units of which lines were chosen."""
    chosen = sent.all("line")
    return {
        line.line_id: _count(sent, f"quantity-{line.line_id}", line.quantity, errors)
        for line in order.lines
        if str(line.line_id) in chosen
    }


def _count(sent: Form, field: str, most: int, errors: Errors) -> int:
    try:
        count = sent.number(field, default=1)
    except InvalidError as error:
        errors["lines"] = sentence(error)
        return 1
    if not 1 <= count <= most:
        errors["lines"] = _("Choose how many, at least one and at most {most}.", most=most)
    return min(max(count, 1), most)


def account_of(typed: str, errors: Errors) -> str:
    """The account number as it is kept; as it was typed, and what is wrong with it, where it is none."""
    try:
        return account_number(typed)
    except InvalidError as error:
        errors["bank_account"] = sentence(error)
        return typed
