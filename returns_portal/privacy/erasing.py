"""Forgetting a person: who it was goes, what was paid stays.

Amounts, dates, articles, numbers and countries are needed for the books (GDPR, Art. 17(3)(b), with tax law); names,
addresses, telephone numbers, their own words, photos, letters and sessions are not. All orders of a person get the same
word in place of the address, so that their points, returns and credit notes go on belonging together.

An order that is handed in again keeps that word, because the order itself says that its person was forgotten
(`orders.erased_at`): nothing by which the person could be known again is kept, not even a digest of the address.
"""

import re
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.notifications.actions import NOBODY
from returns_portal.privacy.people import Person, person_of
from returns_portal.privacy.standing import Open, in_words, still_open

NAMELESS: Final = "–"
"""What stands where a name stood."""
_SHORTEST: Final = 3
"""Characters of a name that is looked for in running text; shorter ones stand in too many words."""
_GONE: Final = "[…]"
"""What stands where somebody of the staff had written a name."""


class StillOpenError(ConflictError):
    """Something of the person's is not over; nothing was erased."""

    code = "still_open"

    def __init__(self, found: list[Open]) -> None:
        """Say what is open."""
        self.found = found
        super().__init__(
            mark("Nothing was erased, because something is still open: {what}"),
            code="still_open",
            detail=[f"{one.what} {one.number}".strip() for one in found],
            what=" ".join(in_words(found)),
        )


class Erased(msgspec.Struct, frozen=True):
    """What was erased, in numbers."""

    orders: int


_LOCK: Final = """
    SELECT id FROM orders WHERE id = ANY(:orders) OR id IN (SELECT order_id FROM gift WHERE id = ANY(:gifts))
    ORDER BY id FOR UPDATE
"""
_LOCK_ACCOUNTS: Final = "SELECT id FROM points_account WHERE id = ANY(:accounts) FOR UPDATE"
_ALLOW: Final = "SELECT set_config('returns_portal.erasing', :mode, true)"
_NAMES: Final = """
    SELECT o.name AS text, true AS is_name FROM orders o WHERE o.id = ANY(:orders)
    UNION SELECT o.address ->> 'name', true FROM orders o WHERE o.id = ANY(:orders)
    UNION SELECT w.name, true FROM withdrawal w WHERE w.id = ANY(:withdrawals)
    UNION SELECT o.phone, false FROM orders o WHERE o.id = ANY(:orders)
    UNION SELECT o.address ->> part, false FROM orders o, unnest(ARRAY['line1', 'line2']) AS part
        WHERE o.id = ANY(:orders)
    UNION SELECT g.name, true FROM gift g WHERE g.id = ANY(:gifts)
    UNION SELECT g.address ->> part, false FROM gift g, unnest(ARRAY['line1', 'line2']) AS part
        WHERE g.id = ANY(:gifts)
    UNION SELECT q.name, true FROM question q WHERE q.id = ANY(:questions)
    UNION SELECT w.email, false FROM withdrawal w WHERE w.id = ANY(:withdrawals)
    UNION SELECT c.line1, false FROM pickup c WHERE c.return_id = ANY(:returns)
    UNION SELECT c.phone, false FROM pickup c WHERE c.return_id = ANY(:returns)
"""

_NUMBERS: Final = """
    SELECT rma AS number FROM returns WHERE id = ANY(:returns)
    UNION SELECT number FROM trial WHERE id = ANY(:trials)
    UNION SELECT number FROM exchange WHERE id = ANY(:exchanges)
    UNION SELECT number FROM replacement WHERE order_id = ANY(:orders)
"""

_IN_THEIR_PARCELS: Final = "parcel_id IN (SELECT id FROM parcel WHERE return_id = ANY(:returns))"


def _without(column: str) -> str:
    """SQL for a text without the person's names."""
    return f"regexp_replace({column}, :pattern, :gone, 'gi')"


# Each with the person's ids; what they do not name stays.
_STATEMENTS: Final = (
    # The letters, before what tells which they are.
    "DELETE FROM email WHERE lower(recipient) = :key OR subject_id = ANY(:subjects)",
    """DELETE FROM sms WHERE subject_id = ANY(:subjects)
        OR recipient IN (SELECT phone FROM orders WHERE id = ANY(:orders) AND phone <> '')
        OR recipient IN (SELECT phone FROM pickup WHERE return_id = ANY(:returns) AND phone <> '')""",
    "DELETE FROM web_session WHERE order_id = ANY(:orders) OR gift_id = ANY(:gifts)",
    "DELETE FROM login_code WHERE order_id = ANY(:orders)",
    "DELETE FROM trial_photo WHERE item_id IN (SELECT id FROM trial_item WHERE trial_id = ANY(:trials))",
    """DELETE FROM dock_photo WHERE parcel_id IN (SELECT id FROM parcel WHERE return_id = ANY(:returns))
        OR found_id IN (SELECT found_id FROM parcel WHERE return_id = ANY(:returns))""",
    "DELETE FROM item_claim_photo WHERE claim_id IN (SELECT id FROM item_claim WHERE order_id = ANY(:orders))",
    # Their own words.
    "UPDATE return_line SET reason = '' WHERE return_id = ANY(:returns) AND reason <> ''",
    "UPDATE item_claim SET said = '' WHERE order_id = ANY(:orders) AND said <> ''",
    "UPDATE trial_item SET problem_note = '' WHERE trial_id = ANY(:trials) AND problem_note <> ''",
    """UPDATE found_parcel SET sender = '', description = ''
        WHERE id IN (SELECT found_id FROM parcel WHERE return_id = ANY(:returns))""",
    # Nobody is left to be called; what came of earlier tries stays, without what was noted.
    """UPDATE order_call SET state = 'over', outcome = 'not_needed', taken_by = NULL, taken_at = NULL, again_at = NULL,
        changed_at = :now WHERE order_id = ANY(:orders) AND state = 'waiting'""",
    """UPDATE order_call_try SET note = ''
        WHERE note <> '' AND call_id IN (SELECT id FROM order_call WHERE order_id = ANY(:orders))""",
    # What was said by both: an answer tells of the person as much as the question does.
    "UPDATE question_message SET body = '', quoted = '' WHERE question_id = ANY(:questions)",
    "UPDATE question_rating SET comment = '' WHERE question_id = ANY(:questions) AND comment <> ''",
    "DELETE FROM question_draft WHERE question_id = ANY(:questions)",
    """DELETE FROM question_attachment
        WHERE message_id IN (SELECT id FROM question_message WHERE question_id = ANY(:questions))""",
    """UPDATE inbound_mail SET sender = '', known_as = ''
        WHERE question_id = ANY(:questions) OR lower(sender) = :key""",
    """UPDATE question SET subject = CAST(:nameless AS text), name = '', email = :known_as, email_key = :known_as
        WHERE id = ANY(:questions)""",
    # That it was asked for stays counted, without who it was and what they said.
    """UPDATE product_request SET words = '', answer = '', email = '', email_key = '', consent = '',
        wish = CASE wish WHEN 'told' THEN wish ELSE 'ended' END WHERE id = ANY(:wishes)""",
    # Where they live, and where their money went.
    "UPDATE pickup SET line1 = '', city = '', postal_code = '', phone = '' WHERE return_id = ANY(:returns)",
    "UPDATE label SET pdf = NULL WHERE return_id = ANY(:returns) AND pdf IS NOT NULL",
    "UPDATE returns SET bank_account = NULL WHERE id = ANY(:returns) AND bank_account IS NOT NULL",
    "UPDATE refund SET bank_account = NULL WHERE id = ANY(:refunds) AND bank_account IS NOT NULL",
    # What other systems told, byte for byte.
    """UPDATE gateway_event SET body = NULL WHERE body IS NOT NULL AND object_id IN (
        SELECT reference FROM payment WHERE order_id = ANY(:orders)
        UNION SELECT gateway_id FROM refund WHERE id = ANY(:refunds)
        UNION SELECT d.gateway_id FROM dispute d JOIN payment p ON p.id = d.payment_id WHERE p.order_id = ANY(:orders)
        UNION SELECT d.charge FROM dispute d JOIN payment p ON p.id = d.payment_id WHERE p.order_id = ANY(:orders)
        UNION SELECT reference FROM trial_charge WHERE trial_id = ANY(:trials)
        UNION SELECT reference FROM exchange_charge WHERE exchange_id = ANY(:exchanges))""",
    """UPDATE carrier_news n SET body = NULL FROM label b WHERE b.return_id = ANY(:returns) AND n.body IS NOT NULL
        AND ((b.tracking <> '' AND n.tracking = b.tracking) OR (b.shipment_ref <> '' AND n.ref = b.shipment_ref))""",
    """UPDATE carrier_news n SET body = NULL FROM outbound_parcel p WHERE p.order_id = ANY(:orders)
        AND n.body IS NOT NULL AND n.tracking = p.tracking""",
    # Who they are.
    """UPDATE withdrawal SET name = CAST(:nameless AS text), email = :known_as,
        content = content || jsonb_build_object('name', CAST(:nameless AS text), 'email', '', 'details', '')
        WHERE id = ANY(:withdrawals)""",
    # The buyer is whose order it was, also where the receiver of a gift sent something back.
    """UPDATE credit_note SET content = jsonb_set(content, '{buyer}', CAST(:buyer AS jsonb)
            || jsonb_build_object('country', coalesce(content -> 'buyer' ->> 'country', '')))
        WHERE refund_id IN (SELECT id FROM refund WHERE order_id = ANY(:orders))""",
    """UPDATE gift SET name = :nameless, email = :known_as, email_key = :known_as,
        address = CAST(:address AS jsonb) || jsonb_build_object('country', coalesce(address ->> 'country', ''))
        WHERE id = ANY(:gifts)""",
    "UPDATE trial SET email_key = :known_as, customer = NULL, payment_method = NULL WHERE id = ANY(:trials)",
    "UPDATE exchange_charge SET customer = NULL, payment_method = NULL WHERE exchange_id = ANY(:exchanges)",
    "UPDATE points_account SET email_key = :known_as WHERE id = ANY(:accounts)",
    "UPDATE surprise SET email_key = :known_as WHERE email_key = :key",
    "UPDATE loyalty_member SET email_key = :known_as WHERE email_key = :key",
    """UPDATE orders SET name = :nameless, email = :known_as, email_key = :known_as, phone = '',
        address = CAST(:address AS jsonb) || jsonb_build_object('country', coalesce(address ->> 'country', '')),
        erased_at = :now, updated_at = :now
        WHERE id = ANY(:orders)""",
    "DELETE FROM privacy_request WHERE email = :key AND kind = 'export'",
    "UPDATE privacy_request SET email = :known_as WHERE email = :key",
)

# What people of the staff wrote stays, for it tells why money went; names in it do not: table, columns, whose.
_NOTES: Final = (
    ("refund", ("reason",), "id = ANY(:refunds)"),
    ("goodwill", ("reason", "decision_note"), "order_id = ANY(:orders)"),
    ("points_adjustment", ("reason",), "account_id = ANY(:accounts)"),
    ("item_claim", ("answer",), "order_id = ANY(:orders)"),
    ("product_request", ("what",), "id = ANY(:wishes)"),
    ("replacement", ("carrier", "tracking"), "order_id = ANY(:orders)"),
    ("returns", ("proof_carrier", "proof_tracking"), "id = ANY(:returns)"),
    ("parcel", ("note",), "return_id = ANY(:returns)"),
    ("parcel_item", ("description", "decision_reason", "note"), _IN_THEIR_PARCELS),
    ("parcel_finding", ("description",), _IN_THEIR_PARCELS),
    ("label", ("failure", "last_scan"), "return_id = ANY(:returns)"),
    (
        "carrier_claim",
        ("notes",),
        "(return_id = ANY(:returns) OR item_id IN (SELECT id FROM trial_item WHERE trial_id = ANY(:trials)))",
    ),
)
_SCRUBS: Final = (
    *(
        f"UPDATE {table} SET {', '.join(f'{name} = {_without(name)}' for name in columns)}"  # noqa: S608 - our own names
        f" WHERE {whose} AND concat_ws(' ', {', '.join(columns)}) ~* :pattern"
        for table, columns, whose in _NOTES
    ),
    f"""UPDATE credit_note SET content = jsonb_set(content, '{{reason}}', to_jsonb({_without("content ->> 'reason'")}))
        WHERE refund_id = ANY(:refunds) AND content ->> 'reason' ~* :pattern""",  # noqa: S608 - as above
    # An answer that is kept for a program's repetition: that it was done stays, and whose it was does not. It is found
    # by what is the person's alone: by a name, somebody could have the answers of others emptied.
    """UPDATE idempotency_key SET body = '{"answer": null}' WHERE CAST(body AS text) ~* :own""",
)


async def erase(db: AsyncConnection, actor: Actor, email: str) -> Erased:
    """Forget the person of an address, at once and for good. Of somebody unknown, or forgotten, nothing is changed.

    The caller has made sure that the person, or the shop, wants it.

    Raises:
        InvalidError: this is no e-mail address.
        StillOpenError: returns, refunds, trials or the like are not over.
    """
    person = await person_of(db, email)
    # Under the locks of all that could begin something new; what began meanwhile is seen by the second look.
    await run(db, _LOCK, orders=person.orders, gifts=person.gifts)
    await run(db, _LOCK_ACCOUNTS, accounts=person.accounts)
    person = await person_of(db, email)
    found = await still_open(db, person)
    if found:
        raise StillOpenError(found)
    values = _values(person) | {
        "pattern": await _known_as(db, person),
        "own": await _own(db, person),
        "gone": _GONE,
    }
    await run(db, _ALLOW, mode="on")
    for statement in (*_SCRUBS, *_STATEMENTS):
        await run(db, statement, **values)
    await run(db, _ALLOW, mode="off")
    await history.record(db, actor, *(("order", order_id, "person_erased", {}) for order_id in person.orders))
    await history.record(db, actor, *(("gift", gift_id, "person_erased", {}) for gift_id in person.gifts))
    return Erased(len(person.orders))


def _values(person: Person) -> dict[str, Any]:
    blank = {"name": NAMELESS, "line1": "", "line2": "", "city": "", "region": "", "postal_code": ""}
    return {
        "key": person.email,
        "known_as": f"{NOBODY}{new_id()}",
        "nameless": NAMELESS,
        "address": msgspec.json.encode(blank).decode(),
        "buyer": msgspec.json.encode({**blank, "email": ""}).decode(),
        "now": clock.now(),
        "orders": person.orders,
        "returns": person.returns,
        "refunds": person.refunds,
        "withdrawals": person.withdrawals,
        "trials": person.trials,
        "exchanges": person.exchanges,
        "questions": person.questions,
        "wishes": person.wishes,
        "accounts": person.accounts,
        "gifts": person.gifts,
        "subjects": person.subjects,
    }


async def _known_as(db: AsyncConnection, person: Person) -> str:
    """What the person is known by in running text, as a regular expression of PostgreSQL: whole words alone."""
    rows = await run(
        db,
        _NAMES,
        orders=person.orders,
        withdrawals=person.withdrawals,
        returns=person.returns,
        gifts=person.gifts,
        questions=person.questions,
    )
    names = {row.text.strip() for row in rows if row.text}
    parts = {word for row in rows if row.text and row.is_name for word in row.text.split()}
    known = {person.email, *names, *parts}
    texts = sorted((text for text in known if len(text) >= _SHORTEST), key=lambda text: (-len(text), text))
    return _any_of(texts)


async def _own(db: AsyncConnection, person: Person) -> str:
    """The address, and the numbers that we gave, as a regular expression."""
    rows = await run(
        db,
        _NUMBERS,
        orders=person.orders,
        returns=person.returns,
        trials=person.trials,
        exchanges=person.exchanges,
    )
    return _any_of([person.email, *(row.number for row in rows)])


def _any_of(texts: list[str]) -> str:
    return rf"(?<!\w)({'|'.join(re.escape(text) for text in texts)})(?!\w)"
