"""The gateway's calls about the account's balance: its lines, and the payouts that empty it.

They are part of `stripe.StripeGateway`, which sends them.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import structlog

from returns_portal.money import is_currency
from returns_portal.payments import wire
from returns_portal.payments.amounts import whole_from_stripe
from returns_portal.payments.gateway import GatewayBalanceLine, GatewayPayout
from returns_portal.payments.reads import PAGE, Sender

log = structlog.get_logger(__name__)


class Balance(Sender):
    """The calls."""

    async def list_balance_transactions(
        self, *, since: datetime | None = None, until: datetime | None = None, payout: str | None = None
    ) -> AsyncIterator[GatewayBalanceLine]:
        """Read lines of the balance, newest first, page by page.

        Args:
            since: only those of then and later.
            until: only those of before then.
            payout: only those that this payout pays out, and its own; Stripe knows them of automatic ones.

        Raises:
            GatewayError: Stripe refused, or gave no answer; what was read before that is right.
        """
        bounds = {"gte": since and int(since.timestamp()), "lt": until and int(until.timestamp())}
        created = {name: moment for name, moment in bounds.items() if moment is not None}
        # A refund's own id of ours and its payment stand in its source, which would be one request a line without this.
        params: dict[str, Any] = {"limit": PAGE, "expand": ["data.source"]}
        params |= {"created": created} if created else {}
        params |= {"payout": payout} if payout else {}
        while True:
            page = await self._send(wire.Page[wire.BalanceTransaction], "get", "/v1/balance_transactions", **params)
            for line in page.data:
                if _is_money(line):
                    yield _line(line)
            if not page.has_more:
                return
            params["starting_after"] = page.data[-1].id

    async def list_payouts(self, since: datetime) -> AsyncIterator[GatewayPayout]:
        """Read the payouts that were made since then, newest first, page by page.

        Raises:
            GatewayError: Stripe refused, or gave no answer.
        """
        params: dict[str, Any] = {"limit": PAGE, "created": {"gte": int(since.timestamp())}}
        while True:
            page = await self._send(wire.Page[wire.Payout], "get", "/v1/payouts", **params)
            for payout in page.data:
                if _is_money(payout):
                    yield _payout(payout)
            if not page.has_more:
                return
            params["starting_after"] = page.data[-1].id


def _is_money(found: wire.BalanceTransaction | wire.Payout) -> bool:
    """Whether its currency is one; Stripe keeps balances of tokens, too, which no order is paid with."""
    known = is_currency(found.currency.upper())
    if not known:
        log.warning("balance.no_currency", id=found.id, currency=found.currency)
    return known


def _line(line: wire.BalanceTransaction) -> GatewayBalanceLine:
    currency = line.currency.upper()
    amount = whole_from_stripe(line.amount, currency)
    # What a fraction is left of is a fee; so that net and fee are the amount together, the fee is rounded up.
    fee = -whole_from_stripe(-line.fee, currency)
    source = line.source if isinstance(line.source, wire.BalanceSource) else None
    said_amount, said_currency = _said(line, source) or (amount, currency)
    is_charge = source is not None and source.object == "charge"
    return GatewayBalanceLine(
        id=line.id,
        type=line.type,
        category=line.reporting_category,
        source=source.id if source else line.source if isinstance(line.source, str) else None,
        payment=source.payment_intent if source else None,
        charge=(source.id if is_charge else source.charge) if source else None,
        our_id=(source.metadata or {}).get("refund_id") if source and source.object == "refund" else None,
        amount=amount,
        fee=fee,
        net=amount - fee,
        currency=currency,
        payment_amount=said_amount,
        payment_currency=said_currency,
        created=datetime.fromtimestamp(line.created, UTC),
        available_on=datetime.fromtimestamp(line.available_on, UTC),
    )


def _said(line: wire.BalanceTransaction, source: wire.BalanceSource | None) -> tuple[int, str] | None:
    """What the customer was told, where the balance has changed it into a currency of its own."""
    if line.exchange_rate is None or source is None or source.amount is None or source.currency is None:
        return None
    currency = source.currency.upper()
    if not is_currency(currency):
        return None
    amount = whole_from_stripe(source.amount, currency)
    return (-amount if line.amount < 0 else amount), currency


def _payout(payout: wire.Payout) -> GatewayPayout:
    currency = payout.currency.upper()
    return GatewayPayout(
        id=payout.id,
        status=payout.status,
        amount=whole_from_stripe(payout.amount, currency),
        currency=currency,
        automatic=payout.automatic,
        listed=payout.reconciliation_status == "completed",
        created=datetime.fromtimestamp(payout.created, UTC),
        arrives=datetime.fromtimestamp(payout.arrival_date, UTC).date(),
        livemode=payout.livemode,
    )
