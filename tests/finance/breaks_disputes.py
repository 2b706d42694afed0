"""What breaks the rules of disputes: one statement each, on the seed's stories."""
# ruff: noqa: S608 - the statements are made of ids of the seed's own records

from datetime import datetime, timedelta
from typing import Final

from tests.finance.seed import START, identity


def disputed(status: str, withdrawn: int, closed: str) -> str:
    """The statement that disputes the payment of story 1, from the day before its refund on."""
    return f"""
        INSERT INTO dispute (id, payment_id, gateway_id, charge, status, reason, currency, amount, withdrawn, opened_at,
            recorded_at, closed_at, version, postings)
        SELECT gen_random_uuid(), id, 'du_1', 'ch_1', '{status}', 'general', currency, amount, {withdrawn}, created_at,
            '{START - timedelta(days=1)}', {closed}, 1, 0 FROM payment WHERE id = '{identity("payment", 1)}'"""


def set_going(at: datetime) -> str:
    """The statement that has set the refund of story 1 going at this moment."""
    return f"""
        INSERT INTO history VALUES (gen_random_uuid(), 'refund', '{identity("refund", 1)}', 'submitting', 'system',
        '{at}', '{{"from": "planned", "attempt": 1}}')"""


_WON: Final = disputed("won", 0, f"'{START + timedelta(days=1)}'")
_LOST: Final = disputed("lost", 2_400, f"'{START - timedelta(hours=1)}'")

DISPUTE_BREAKS: Final = {
    "dispute-holds": f"WITH disputed AS ({_WON}) {set_going(START)}",
    "held-while-disputed": f"UPDATE refund SET held_at = now() WHERE id = '{identity('refund', 1)}'",
    "dispute-cap": f"WITH disputed AS ({_LOST}) {set_going(START)}",
    "disputes-are-booked": disputed("needs_response", 100, "NULL"),
}
