"""Posting to the books. What is posted is written together with the change that it tells of."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from returns_portal import clock
from returns_portal.db import Rows
from returns_portal.ids import new_id
from returns_portal.ledger.models import Account, LedgerEntry, LedgerTransaction


class Posting(msgspec.Struct, frozen=True):
    """One line: positive minor units are a debit, negative a credit."""

    account: Account
    amount: int
    owner_id: UUID | None = None


def rows(
    kind: str, cause: tuple[str, UUID], currency: str, postings: Sequence[Posting], *, sequence: int = 1
) -> tuple[Rows, Rows]:
    """The rows of one balanced transaction, to be inserted together, in one statement.

    The database's own check of the balance looks at a statement's rows; and it refuses the same kind, cause and
    sequence a second time.

    Raises:
        ValueError: the lines do not sum to zero (the database refuses that too).
    """
    if sum(posting.amount for posting in postings) != 0:
        raise ValueError(f"the postings of {kind} do not sum to zero")
    transaction_id = new_id()
    head = {
        "id": transaction_id,
        "kind": kind,
        "cause": cause[0],
        "cause_id": cause[1],
        "sequence": sequence,
        "at": clock.now(),
    }
    lines = [
        {
            "id": new_id(),
            "transaction_id": transaction_id,
            "account": posting.account,
            "owner_id": posting.owner_id,
            "currency": currency,
            "amount": posting.amount,
        }
        for posting in postings
        if posting.amount
    ]
    return (LedgerTransaction, [head]), (LedgerEntry, lines)
