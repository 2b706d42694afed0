"""What those who answer work with: who has what open."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from returns_portal.tables import moment


class QuestionPresence(SQLModel, table=True):
    """That somebody of the staff has a question open. It locks nothing, and counts for a minute."""

    __tablename__ = "question_presence"

    question_id: UUID = Field(primary_key=True, foreign_key="question.id")
    staff_id: UUID = Field(primary_key=True, foreign_key="staff.id")
    since: datetime = Field(sa_column=moment(nullable=False))
    """Since when without a break."""
    seen_at: datetime = Field(sa_column=moment(nullable=False))
    """When their page last said so."""
