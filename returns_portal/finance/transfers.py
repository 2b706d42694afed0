"""Refunds that finance pays by bank transfer, with the account numbers that customers gave."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import ConflictError
from returns_portal.finance.cells import safe
from returns_portal.money import Money
from returns_portal.vault import Vault

LIMIT: Final = 500


class Transfer(msgspec.Struct, frozen=True):
    """A transfer to make, in minor units. `account` is None where none was given, or it cannot be read."""

    refund_id: UUID
    rma: str
    order_number: str
    name: str
    currency: str
    amount: int
    refund_deadline: datetime | None
    account: str | None
    unreadable: bool = False
    """Whether an account number was stored under another secret, so that the customer has to give it again."""


_TRANSFERS: Final = text("""
    SELECT f.id AS refund_id, coalesce(r.rma, '') AS rma, o.number AS order_number, o.name, f.currency, f.amount,
           r.refund_deadline, coalesce(f.bank_account, r.bank_account) AS account
    FROM refund f LEFT JOIN returns r ON r.id = f.return_id JOIN orders o ON o.id = f.order_id
    WHERE f.status NOT IN ('succeeded', 'canceled') AND f.status = 'awaiting_transfer'
    ORDER BY r.refund_deadline, f.id LIMIT :limit
""")


async def transfers(db: AsyncConnection, actor: Actor, vault: Vault) -> list[Transfer]:
    """The transfers to make, the nearest deadline first.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance")
    rows = (await db.execute(_TRANSFERS, {"limit": LIMIT})).mappings()
    return [_opened(Transfer(**row), vault) for row in rows]


def _opened(transfer: Transfer, vault: Vault) -> Transfer:
    if transfer.account is None:
        return transfer
    try:
        return msgspec.structs.replace(transfer, account=vault.open(transfer.account))
    except ConflictError:
        return msgspec.structs.replace(transfer, account=None, unreadable=True)


def transfers_csv(rows: Sequence[Transfer], zone: str) -> str:
    """The transfers that can be made, as CSV: decimal amounts in major units, deadlines as days of the shop's zone."""
    lines = ["refund_id,return_number,order_number,account_holder,account,currency,amount,deadline"]
    for row in rows:
        if row.account is not None:
            cells = (
                str(row.refund_id),
                row.rma,
                safe(row.order_number),
                safe(row.name),
                safe(row.account),
                row.currency,
                f"{Money(row.amount, row.currency).decimal:f}",
                row.refund_deadline.astimezone(ZoneInfo(zone)).date().isoformat() if row.refund_deadline else "",
            )
            lines.append(",".join(map(_quoted, cells)))
    return "\n".join(lines) + "\n"


def _quoted(cell: str) -> str:
    """Quote a cell as RFC 4180 has it, where it needs it."""
    return '"' + cell.replace('"', '""') + '"' if any(symbol in cell for symbol in ',"\r\n') else cell
