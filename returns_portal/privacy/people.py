"""Whose records are whose: a person is an e-mail address, and all that was written under it."""

from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.rules import email_key, is_email
from returns_portal.db import run
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark


class Person(msgspec.Struct, frozen=True):
    """Everything that is kept of a person, by its ids."""

    email: str
    """Folded for comparison."""
    locale: str
    """The language of the newest order; empty where there is none."""
    orders: list[UUID]
    returns: list[UUID]
    refunds: list[UUID]
    withdrawals: list[UUID]
    trials: list[UUID]
    exchanges: list[UUID]
    accounts: list[UUID]
    """Of points: one at most."""
    questions: list[UUID]
    gifts: list[UUID]
    """By which they came to send back what others had ordered; `returns` has those, and not what others sent back."""
    wishes: list[UUID]
    """What they asked for that was not in stock."""

    @property
    def subjects(self) -> list[UUID]:
        """What letters can be about."""
        own = (self.orders, self.returns, self.refunds, self.withdrawals, self.trials, self.exchanges, self.gifts)
        return [subject for subjects in (*own, self.questions, self.wishes) for subject in subjects]

    @property
    def known(self) -> bool:
        """Whether anything is kept; letters alone, which somebody else may have caused, are not looked for."""
        own = (self.orders, self.withdrawals, self.trials, self.accounts, self.gifts, self.questions, self.wishes)
        return any(own)


_FIND: Final = """
    WITH mine AS MATERIALIZED (SELECT id, locale, placed_at FROM orders WHERE email_key = :key),
    got AS MATERIALIZED (SELECT id, locale FROM gift WHERE email_key = :key),
    asked AS MATERIALIZED (SELECT id FROM question WHERE email_key = :key
        UNION SELECT id FROM question WHERE order_id IN (SELECT id FROM mine)),
    back AS MATERIALIZED (SELECT id FROM returns WHERE (order_id IN (SELECT id FROM mine) AND gift_id IS NULL)
        OR gift_id IN (SELECT id FROM got))
    SELECT coalesce((SELECT locale FROM mine ORDER BY placed_at DESC, id DESC LIMIT 1),
               (SELECT locale FROM got ORDER BY id DESC LIMIT 1), '') AS locale,
           ARRAY(SELECT id FROM mine ORDER BY placed_at, id) AS orders,
           ARRAY(SELECT id FROM back ORDER BY id) AS returns,
           ARRAY(SELECT id FROM refund WHERE return_id IN (SELECT id FROM back)
                 OR (return_id IS NULL AND order_id IN (SELECT id FROM mine)) ORDER BY id) AS refunds,
           ARRAY(SELECT id FROM withdrawal WHERE lower(email) = :key
                 UNION SELECT id FROM withdrawal WHERE order_id IN (SELECT id FROM mine) ORDER BY id) AS withdrawals,
           ARRAY(SELECT id FROM trial WHERE email_key = :key
                 UNION SELECT id FROM trial WHERE order_id IN (SELECT id FROM mine) ORDER BY id) AS trials,
           ARRAY(SELECT id FROM exchange WHERE return_id IN (SELECT id FROM back) ORDER BY id) AS exchanges,
           ARRAY(SELECT id FROM points_account WHERE email_key = :key) AS accounts,
           ARRAY(SELECT id FROM asked ORDER BY id) AS questions,
           ARRAY(SELECT id FROM got ORDER BY id) AS gifts,
           ARRAY(SELECT id FROM product_request WHERE email_key = :key
                 UNION SELECT id FROM product_request WHERE question_id IN (SELECT id FROM asked) ORDER BY id) AS wishes
"""


async def person_of(db: AsyncConnection, email: str) -> Person:
    """All that is kept under an address; empty lists where nothing is.

    Raises:
        InvalidError: this is no e-mail address. Orders that were taken in a shop have none, and are nobody's.
    """
    if not is_email(email):
        raise InvalidError(mark("This is no e-mail address."), field="email")
    key = email_key(email)
    [row] = await run(db, _FIND, key=key)
    return Person(key, *row)
