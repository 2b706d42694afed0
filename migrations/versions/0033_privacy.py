"""Statements of withdrawal stay as they were made; people can ask for what is kept about them, and be forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _statements()
    _credit_notes()
    op.add_column("orders", sa.Column("erased_at", sa.DateTime(timezone=True)))
    _requests()


def _statements() -> None:
    # The statement itself changes for one reason alone: that its person is forgotten, which the transaction says.
    op.execute("""
        CREATE FUNCTION keep_statement() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR (NEW.id, NEW.submitted_at) IS DISTINCT FROM (OLD.id, OLD.submitted_at)
                OR ((NEW.name, NEW.order_number, NEW.email, NEW.content)
                    IS DISTINCT FROM (OLD.name, OLD.order_number, OLD.email, OLD.content)
                    AND coalesce(current_setting('returns_portal.erasing', true), '') <> 'on')
            THEN
                RAISE EXCEPTION 'a statement of withdrawal stays as it was made' USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER kept_as_made BEFORE UPDATE OR DELETE ON withdrawal"
        " FOR EACH ROW EXECUTE FUNCTION keep_statement()"
    )
    op.create_index("ix_withdrawal_email", "withdrawal", [sa.text("lower(email)")])
    op.create_index("ix_withdrawal_order", "withdrawal", ["order_id"], postgresql_where=sa.text("order_id IS NOT NULL"))


def _credit_notes() -> None:
    # Of a credit note, the buyer can be made nameless, in the reason too; nothing else ever changes.
    op.execute("""
        CREATE FUNCTION keep_credit_note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR coalesce(current_setting('returns_portal.erasing', true), '') <> 'on'
                OR to_jsonb(NEW) - 'content' IS DISTINCT FROM to_jsonb(OLD) - 'content'
                OR NEW.content - '{buyer,reason}'::text[] IS DISTINCT FROM OLD.content - '{buyer,reason}'::text[]
            THEN
                RAISE EXCEPTION 'credit_note is append-only: correct by adding' USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("DROP TRIGGER append_only ON credit_note")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON credit_note"
        " FOR EACH ROW EXECUTE FUNCTION keep_credit_note()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON credit_note FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _requests() -> None:
    op.create_table(
        "privacy_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.Column("data", sa.LargeBinary()),
        sa.Column("paper", sa.LargeBinary()),
        sa.CheckConstraint("kind IN ('export', 'erasure')", name="kind_known"),
        sa.CheckConstraint("done_at IS NULL OR confirmed_at IS NOT NULL", name="confirmed_first"),
        sa.CheckConstraint("(data IS NULL) = (paper IS NULL)", name="both_files"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_privacy_request_asked", "privacy_request", ["asked_at"])


def downgrade() -> None:
    op.drop_table("privacy_request")
    op.drop_column("orders", "erased_at")
    op.execute("DROP TRIGGER never_emptied ON credit_note")
    op.execute("DROP TRIGGER append_only ON credit_note")
    op.execute("DROP FUNCTION keep_credit_note")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_note"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.drop_index("ix_withdrawal_order", table_name="withdrawal")
    op.drop_index("ix_withdrawal_email", table_name="withdrawal")
    op.execute("DROP TRIGGER kept_as_made ON withdrawal")
    op.execute("DROP FUNCTION keep_statement")
