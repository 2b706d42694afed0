"""Links that open once are remembered while they last, readers choose their e-mails, and a change is told once."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('parcel', 'points')"


def upgrade() -> None:
    op.create_table(
        "spent_link",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("browser", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_spent_link_expires_at", "spent_link", ["expires_at"])
    op.create_table(
        "mail_refusal",
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address", "kind"),
        sa.CheckConstraint(_KINDS, name="kind_known"),
    )
    # What was written before names no change: a column without a default is added without touching a row.
    op.add_column("email", sa.Column("change", sa.String()))
    op.create_index(
        "ix_email_change",
        "email",
        ["subject_id", "template", "change"],
        unique=True,
        postgresql_where="change IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_index("ix_email_change", table_name="email")
    op.drop_column("email", "change")
    op.drop_table("mail_refusal")
    op.drop_table("spent_link")
