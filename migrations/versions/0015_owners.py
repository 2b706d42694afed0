"""Points belong to the address as orders are found by it: two of the same letters but for `ß` and `ss` are two."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_RENAME = """
    UPDATE points_account SET email_key = :new WHERE email_key = :old
     AND NOT EXISTS (SELECT FROM points_account WHERE email_key = :new)
"""


def _folded() -> list[tuple[str, str]]:
    """Addresses as orders have them, and as owners of points had them, where the two differ."""
    rows = op.get_bind().execute(sa.text("SELECT DISTINCT email_key FROM orders WHERE email_key !~ '^[ -~]*$'"))
    return [(key, key.casefold()) for (key,) in rows if key.casefold() != key]


def upgrade() -> None:
    for key, folded in _folded():
        # Where somebody orders with the other spelling, it cannot be told whose the points are: they stay with it.
        statement = sa.text(f"{_RENAME} AND NOT EXISTS (SELECT FROM orders WHERE email_key = :old)")
        op.get_bind().execute(statement, {"new": key, "old": folded})


def downgrade() -> None:
    for key, folded in _folded():
        op.get_bind().execute(sa.text(_RENAME), {"new": folded, "old": key})
