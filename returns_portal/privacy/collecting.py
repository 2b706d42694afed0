"""Reading everything that is kept about a person."""

from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import run
from returns_portal.orders.units import OF_GIFT
from returns_portal.privacy.asked import LookedFor, Question
from returns_portal.privacy.data import (
    VERSION,
    Everything,
    GiftSentBack,
    Letter,
    Movement,
    OrderPlaced,
    Session,
    Statement,
    Surprised,
    Trial,
)
from returns_portal.privacy.people import Person
from returns_portal.shop.queries import ShopInfo

_RETURNS: Final = """
    SELECT json_agg(json_build_object(
        'number', r.rma, 'status', r.status,
        'in_parcel_of', (SELECT lead.rma FROM returns lead WHERE lead.id = r.travels_with),
        'filed_at', r.created_at, 'cancelled_at', r.cancelled_at,
        'refund_to', r.refund_to, 'points_consent_at', r.points_consent_at,
        'bank_account_kept', r.bank_account IS NOT NULL,
        'lines', (SELECT coalesce(json_agg(json_build_object('sku', l.sku, 'title', l.title, 'quantity', a.quantity,
            'reason', a.reason) ORDER BY l.position), '[]') FROM return_line a
            JOIN order_line l ON l.id = a.order_line_id WHERE a.return_id = r.id),
        'parcels', (SELECT coalesce(json_agg(json_build_object('checked_in_at', p.checked_in_at, 'note', p.note,
            'photos', (SELECT count(*) FROM dock_photo d WHERE d.parcel_id = p.id OR d.found_id = p.found_id),
            'counted', (SELECT coalesce(json_agg(concat_ws(', ', concat(i.quantity, ' × ',
                coalesce(l.sku, nullif(i.description, ''), '?'), ': ', i.condition), i.acceptance,
                nullif(i.decision_reason, ''), nullif(i.note, ''))), '[]') FROM parcel_item i
                LEFT JOIN order_line l ON l.id = i.order_line_id WHERE i.parcel_id = p.id)
            ) ORDER BY p.checked_in_at), '[]') FROM parcel p WHERE p.return_id = r.id),
        'labels', (SELECT coalesce(json_agg(json_build_object('carrier', b.carrier, 'tracking', b.tracking,
            'created_at', b.created_at, 'first_scan_at', b.first_scan_at, 'delivered_at', b.delivered_at)
            ORDER BY b.created_at), '[]') FROM label b WHERE b.return_id = r.id),
        'pickups', (SELECT coalesce(json_agg(json_build_object('address', concat_ws(', ', c.line1, c.postal_code,
            c.city, c.country), 'phone', c.phone, 'begins_at', c.begins_at, 'status', c.status) ORDER BY c.begins_at),
            '[]') FROM pickup c WHERE c.return_id = r.id),
        'exchanges', (SELECT coalesce(json_agg(json_build_object('number', x.number, 'sku', x.sku, 'title', x.title,
            'size', x.size, 'color', x.color, 'status', x.status, 'end_reason', x.end_reason,
            'price', CASE WHEN r.gift_id IS NULL THEN x.price END,
            'paid_on_top', coalesce(p.amount, 0), 'currency', x.currency, 'asked_at', x.created_at,
            'sent_at', x.sent_at, 'carrier', x.carrier, 'tracking', x.tracking, 'at_once', x.at_once,
            'outcome', x.outcome,
            'tries_to_pay', (SELECT coalesce(json_agg(concat_ws(', ', c.amount, c.status, nullif(c.failure, ''))
                ORDER BY c.created_at), '[]') FROM exchange_charge c WHERE c.exchange_id = x.id)) ORDER BY x.id), '[]')
            FROM exchange x LEFT JOIN payment p ON p.id = x.payment_id WHERE x.return_id = r.id)
    ) ORDER BY r.created_at) FROM returns r
"""
_REFUNDS: Final = """
    SELECT json_agg(json_build_object('return_number', r.rma, 'kind', f.kind, 'destination', f.destination,
        'status', f.status, 'amount', f.amount, 'bonus', f.bonus, 'currency', f.currency, 'reason', f.reason,
        'requested_at', f.requested_at, 'settled_at', f.settled_at) ORDER BY f.id)
    FROM refund f LEFT JOIN returns r ON r.id = f.return_id
"""
_CLAIMS: Final = """
    SELECT json_agg(json_build_object('kind', c.kind, 'remedy', c.remedy, 'said', c.said, 'status', c.status,
        'answer', c.answer, 'filed_at', c.filed_at, 'closed_at', c.closed_at,
        'photos', (SELECT count(*) FROM item_claim_photo p WHERE p.claim_id = c.id),
        'items', (SELECT coalesce(json_agg(concat(k.quantity, ' × ', l.sku) ORDER BY l.position), '[]')
            FROM item_claim_line k JOIN order_line l ON l.id = k.order_line_id WHERE k.claim_id = c.id),
        'sent_anew', (SELECT coalesce(json_agg(json_build_object('number', n.number, 'status', n.status,
            'end_reason', n.end_reason, 'set_aside_at', n.created_at, 'sent_at', n.sent_at, 'ended_at', n.ended_at,
            'carrier', n.carrier, 'tracking', n.tracking,
            'items', (SELECT coalesce(json_agg(concat(k.quantity, ' × ', l.sku) ORDER BY l.position), '[]')
                FROM replacement_line k JOIN order_line l ON l.id = k.order_line_id WHERE k.replacement_id = n.id)
            ) ORDER BY n.id), '[]') FROM replacement n WHERE n.claim_id = c.id)
        ) ORDER BY c.id) FROM item_claim c
"""
_CALLS: Final = """
    SELECT json_agg(json_build_object('reasons', c.reasons, 'asked_at', c.created_at, 'outcome', c.outcome,
        'tries', (SELECT coalesce(json_agg(concat(to_char(y.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ': ',
            concat_ws(', ', y.outcome, nullif(y.note, ''))) ORDER BY y.id), '[]')
            FROM order_call_try y WHERE y.call_id = c.id)) ORDER BY c.id) FROM order_call c
"""
# What the receiver of a gift sent back is theirs: whoever gave it learns nothing of it.
_ORDERS: Final = f"""
    SELECT o.number, o.email, o.name, o.phone, o.locale AS language, o.currency, o.total, o.placed_at, o.shipped_at,
           o.delivered_at, o.cancelled_at, o.address,
           (SELECT coalesce(json_agg(json_build_object('sku', l.sku, 'title', l.title, 'size', l.size,
                'color', l.color, 'quantity', l.quantity, 'unit_price', l.unit_price,
                'paid', (SELECT sum(unit) FROM unnest(l.unit_paid) AS unit) + (SELECT coalesce(sum(x.moved), 0)
                    FROM exchange x JOIN returns r ON r.id = x.return_id
                    WHERE x.order_line_id = l.id AND r.gift_id IS NOT NULL)) ORDER BY l.position), '[]')
            FROM order_line l WHERE l.order_id = o.id AND {OF_GIFT} IS NULL) AS lines,
           (SELECT coalesce(json_agg(json_build_object('tender', p.tender, 'method', p.method,
                'card_brand', p.card_brand, 'card_last4', p.card_last4, 'amount', p.amount, 'currency', p.currency,
                'reference', p.reference) ORDER BY p.id), '[]') FROM payment p WHERE p.order_id = o.id) AS payments,
           coalesce(({_RETURNS} WHERE r.order_id = o.id AND r.gift_id IS NULL), '[]') AS returns,
           coalesce(({_REFUNDS} WHERE f.order_id = o.id AND r.gift_id IS NULL), '[]') AS refunds,
           coalesce(({_CLAIMS} WHERE c.order_id = o.id), '[]') AS claims,
           coalesce(({_CALLS} WHERE c.order_id = o.id), '[]') AS calls,
           (SELECT coalesce(json_agg(concat_ws(', ', d.reason, d.status)), '[]') FROM dispute d
            JOIN payment p ON p.id = d.payment_id WHERE p.order_id = o.id) AS disputes,
           (SELECT coalesce(json_agg(concat_ws(', ', c.kind, c.status, nullif(c.notes, ''))), '[]')
            FROM carrier_claim c LEFT JOIN returns r ON r.id = c.return_id LEFT JOIN trial_item i ON i.id = c.item_id
            LEFT JOIN trial t ON t.id = i.trial_id WHERE coalesce(r.order_id, t.order_id) = o.id
            AND r.gift_id IS NULL) AS carrier_claims
    FROM orders o WHERE o.id = ANY(:ids) ORDER BY o.placed_at, o.id
"""  # noqa: S608 - the interpolated text is our own
_GIFTS: Final = f"""
    SELECT g.email, g.name, g.locale AS language, g.address,
           coalesce(({_RETURNS} WHERE r.gift_id = g.id), '[]') AS returns,
           coalesce(({_REFUNDS} WHERE r.gift_id = g.id), '[]') AS refunds
    FROM gift g WHERE g.id = ANY(:ids) ORDER BY g.created_at, g.id
"""  # noqa: S608 - the interpolated text is our own
_TRIALS: Final = """
    SELECT t.number, t.status, t.consented_at, t.terms, t.card_brand, t.card_last4,
           (SELECT coalesce(json_agg(concat_ws(': ', i.problem, nullif(i.problem_note, ''))), '[]') FROM trial_item i
            WHERE i.trial_id = t.id AND i.problem <> '') AS problems,
           (SELECT count(*) FROM trial_photo f JOIN trial_item i ON i.id = f.item_id WHERE i.trial_id = t.id) AS photos
    FROM trial t WHERE t.id = ANY(:ids) ORDER BY t.placed_at, t.id
"""
_WITHDRAWALS: Final = """
    SELECT w.name, w.order_number, w.email, coalesce(w.content ->> 'details', '') AS details, w.submitted_at
    FROM withdrawal w WHERE w.id = ANY(:ids) ORDER BY w.submitted_at
"""
# Notes are what the shop's people wrote for one another of a person: they are part of what is kept of them.
_QUESTIONS: Final = """
    SELECT q.number, q.subject, q.email, q.name, q.state, q.opened_at, t.helped, coalesce(t.comment, '') AS comment,
           (SELECT json_agg(json_build_object('at', m.at, 'text', m.body,
                'by', CASE WHEN m.kind IN ('customer', 'machine') THEN 'customer' ELSE 'staff' END,
                'files', (SELECT coalesce(json_agg(f.name ORDER BY f.id), '[]') FROM question_attachment f
                    WHERE f.message_id = m.id)) ORDER BY m.id)
            FROM question_message m WHERE m.question_id = q.id) AS messages
    FROM question q LEFT JOIN question_rating t ON t.question_id = q.id WHERE q.id = ANY(:ids) ORDER BY q.id
"""
_LOOKED_FOR: Final = """
    SELECT r.what, r.size, r.color, r.words, r.email, r.consent AS agreed_to, r.asked_at, r.wish, r.told_at, r.answer,
           (SELECT coalesce(json_agg(concat_ws(', ', e.shop, CASE WHEN f.followed_at IS NOT NULL THEN 'followed' END)
                ORDER BY f.id), '[]') FROM referral f JOIN elsewhere e ON e.id = f.elsewhere_id
            WHERE f.request_id = r.id) AS named,
           coalesce(o.number, '') AS came_back_with_order
    FROM product_request r LEFT JOIN orders o ON o.id = r.came_back_order_id WHERE r.id = ANY(:ids) ORDER BY r.id
"""
_POINTS: Final = """
    SELECT t.at, t.kind, -e.amount AS points, e.currency, coalesce(a.reason, '') AS reason
    FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
    LEFT JOIN points_adjustment a ON a.id = t.cause_id AND t.cause = 'points_adjustment'
    WHERE e.owner_id = ANY(:ids) ORDER BY t.at, t.id
"""
_SURPRISES: Final = """
    SELECT s.proposed_at AS at, o.number AS order_number, s.kind, coalesce(s.occasion, '') AS occasion, s.status
    FROM surprise s JOIN orders o ON o.id = s.order_id WHERE s.email_key = :key ORDER BY s.proposed_at, s.id
"""
_LETTERS: Final = """
    SELECT 'email' AS channel, e.template AS about, e.recipient, e.status, e.created_at AS written_at,
           CAST(e.values - CAST('{code,url,link}' AS text[]) AS text) AS content
    FROM email e WHERE lower(e.recipient) = :key
    UNION ALL SELECT 'sms', '', s.recipient, s.status, s.created_at, s.text FROM sms s WHERE s.subject_id = ANY(:ids)
    ORDER BY written_at
"""
_SESSIONS: Final = """
    SELECT o.number AS order_number, w.created_at AS opened_at, w.expires_at AS ends_at
    FROM web_session w JOIN orders o ON o.id = w.order_id WHERE w.order_id = ANY(:ids) ORDER BY w.created_at
"""


async def everything_of(db: AsyncConnection, person: Person, shop: ShopInfo) -> Everything:
    """All that is kept about a person at this moment. The caller has made sure that they are who asks."""
    return Everything(
        version=VERSION,
        shop=shop.name,
        email=person.email,
        made_at=clock.now(),
        orders=_as(list[OrderPlaced], await run(db, _ORDERS, ids=person.orders)),
        gifts=_as(list[GiftSentBack], await run(db, _GIFTS, ids=person.gifts)),
        trials=_as(list[Trial], await run(db, _TRIALS, ids=person.trials)),
        withdrawals=_as(list[Statement], await run(db, _WITHDRAWALS, ids=person.withdrawals)),
        questions=_as(list[Question], await run(db, _QUESTIONS, ids=person.questions)),
        looked_for=_as(list[LookedFor], await run(db, _LOOKED_FOR, ids=person.wishes)),
        points=_as(list[Movement], await run(db, _POINTS, ids=person.accounts)),
        surprises=_as(list[Surprised], await run(db, _SURPRISES, key=person.email)),
        letters=_as(list[Letter], await run(db, _LETTERS, key=person.email, ids=person.subjects)),
        sessions=_as(list[Session], await run(db, _SESSIONS, ids=person.orders)),
    )


def _as(kind: Any, rows: list[Any]) -> Any:  # noqa: ANN401 - a list of the records that are asked for
    return msgspec.convert([row._asdict() for row in rows], kind)
