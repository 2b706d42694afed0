"""E-mails to the shop: what was read of its mailbox, what machines sent, and files that came along."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

_TABLE = "question_message"
_BEFORE = {
    "kind_known": "kind IN ('customer', 'staff', 'promise', 'note')",
    "staff_have_names": "kind = 'customer' OR staff_id IS NOT NULL",
}
_AFTER = {
    "kind_known": "kind IN ('customer', 'staff', 'promise', 'note', 'machine')",
    "staff_have_names": "kind IN ('customer', 'machine') OR staff_id IS NOT NULL",
}


def upgrade() -> None:
    op.add_column(_TABLE, sa.Column("quoted", sa.Text(), nullable=False, server_default=""))
    op.alter_column(_TABLE, "quoted", server_default=None)
    _constrain(_AFTER)
    op.create_table(
        "inbound_mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("repeated", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("known_as", "sender", "fate", "why")),
        sa.Column("question_id", sa.Uuid(), sa.ForeignKey("question.id")),
        sa.Column("message_id", sa.Uuid(), sa.ForeignKey("question_message.id")),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("fate IN ('asked', 'written', 'noted', 'ignored')", name="fate_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_inbound_mail_place", "inbound_mail", ["uidvalidity", "uid"], unique=True)
    op.create_index("uq_inbound_mail_digest", "inbound_mail", ["digest"], unique=True, postgresql_where="NOT repeated")
    op.create_index("ix_inbound_mail_question", "inbound_mail", ["question_id"])
    op.create_table(
        "question_attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), sa.ForeignKey("question_message.id"), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("name", "media_type", "refused")),
        sa.Column("data", sa.LargeBinary()),
        sa.CheckConstraint("(refused = '') = (data IS NOT NULL)", name="kept_or_refused"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_question_attachment", "question_attachment", ["message_id"])


def _constrain(conditions: dict[str, str]) -> None:
    for name, condition in conditions.items():
        op.drop_constraint(name, _TABLE, type_="check")
        op.create_check_constraint(name, _TABLE, condition)


def downgrade() -> None:
    op.drop_table("question_attachment")
    op.drop_table("inbound_mail")
    op.execute("DELETE FROM question_message WHERE kind = 'machine'")
    _constrain(_BEFORE)
    op.drop_column(_TABLE, "quoted")
