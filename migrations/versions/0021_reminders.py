"""Reminders of a trial are counted by the e-mails that were sent, not by those that were written."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_email_reminder", "email", ["subject_id"], postgresql_where=sa.text("template = 'trial_reminder'")
    )
    op.add_column("trial", sa.Column("reminders_since", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE trial SET reminders_since = delivered_at")
    op.drop_column("trial", "reminders")


def downgrade() -> None:
    op.add_column("trial", sa.Column("reminders", sa.Integer(), server_default="0", nullable=False))
    op.execute("""
        UPDATE trial t SET reminders = least(2, (
            SELECT count(*) FROM email e WHERE e.subject_id = t.id AND e.template = 'trial_reminder'
             AND e.status = 'sent' AND e.created_at >= t.reminders_since))
    """)
    op.alter_column("trial", "reminders", server_default=None)
    op.drop_column("trial", "reminders_since")
    op.drop_index("ix_email_reminder", "email")
