"""The codes by which the shop's bookkeeping knows the accounts of the ledger."""

import re
from collections.abc import Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.ledger.models import Account
from returns_portal.shop.actions import SUBJECT_ID

DEFAULTS: Final = {
    Account.GATEWAY_CLEARING: "1200",
    Account.BANK_CLEARING: "1210",
    Account.POINTS_REDEEMED: "1220",
    Account.DISPUTES_OPEN: "1230",
    Account.REFUNDS_PAYABLE: "2100",
    Account.CUSTOMER_POINTS: "2200",
    Account.POINTS_HELD: "2210",
    Account.SALES_RETURNS: "4100",
    Account.POSTAGE_INCOME: "4200",
    Account.BREAKAGE: "4900",
    Account.GOODWILL_EXPENSE: "6100",
    Account.POINTS_EXPENSE: "6110",
    Account.BONUS_EXPENSE: "6120",
    Account.DISPUTE_LOSSES: "6130",
    Account.GATEWAY_FEES: "6140",
}
"""What stands until the shop says otherwise: 1 assets, 2 liabilities, 4 income, 6 expenses."""

_CODE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z ./_-]{0,31}")


def code_sql(account: Account) -> str:
    """SQL for the code of one account."""
    return f"coalesce((SELECT code FROM account_code WHERE account = '{account}'), '{DEFAULTS[account]}')"  # noqa: S608 - our own words


CODES_SQL: Final = f"""
    SELECT d.account, coalesce(c.code, d.code) AS code
    FROM (VALUES {", ".join(f"('{account}', '{code}')" for account, code in DEFAULTS.items())}) AS d(account, code)
    LEFT JOIN account_code c ON c.account = d.account
"""  # noqa: S608 - the interpolated words are our own table above
"""SQL for the codes of all accounts."""


async def codes(db: AsyncConnection) -> dict[Account, str]:
    """The code of every account, in the order of the codes that stand by default."""
    found = {row.account: row.code for row in await run(db, CODES_SQL)}
    return {account: found[account] for account in DEFAULTS}


async def set_codes(db: AsyncConnection, actor: Actor, changes: Mapping[str, str]) -> None:
    """Give accounts other codes; what was closed keeps those that it was closed with.

    Raises:
        ForbiddenError: the actor is not of finance.
        InvalidError: there is no such account, or a code is none; the field is the account's name.
    """
    actor.require("finance")
    for account, code in changes.items():
        if account not in DEFAULTS:
            raise InvalidError(mark("The ledger has no account {name}."), field=account, name=account)
        if not _CODE.fullmatch(code):
            raise InvalidError(
                mark("A code begins with a letter or digit and has up to 32 letters, digits, spaces or any of ./_-"),
                field=account,
            )
    before = await codes(db)
    changed = {account: code for account, code in changes.items() if before[Account(account)] != code}
    for account, code in changed.items():
        await run(
            db,
            "INSERT INTO account_code (account, code) VALUES (:account, :code)"
            " ON CONFLICT (account) DO UPDATE SET code = excluded.code",
            account=account,
            code=code,
        )
    if changed:
        told = {account: [before[Account(account)], code] for account, code in changed.items()}
        await history.record(db, actor, ("shop", SUBJECT_ID, "account_codes_changed", told))
