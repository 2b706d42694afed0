"""Runs: many labels in one file, made piece by piece."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary
from sqlmodel import Field, SQLModel

from returns_portal.tables import moment

_SIZES: Final = "size IN ('4x6', 'a4', 'letter')"
_COUNTS: Final = "rows_total > 0 AND rows_done BETWEEN 0 AND rows_total AND labels >= 0 AND refused >= 0"


class LabelRun(SQLModel, table=True):
    """Labels of many returns that somebody wants in one file, and how far it is."""

    __tablename__ = "label_run"
    __table_args__ = (
        CheckConstraint(_SIZES, name="size_known"),
        CheckConstraint(_COUNTS, name="counts_sane"),
        # The same wish twice, by a second click or by a command that is started again, is one run.
        Index("uq_label_run_wish", "wish", unique=True, postgresql_where="wish <> ''"),
        Index("ix_label_run_kept", "requested_at", postgresql_where="gone_at IS NULL"),
    )

    id: UUID = Field(primary_key=True)
    wish: str
    """A digest of what was asked for, by whom and on which occasion; empty once that occasion is over."""
    source: str
    """The name of the file, or `show:` and the choice in the list of labels; empty where a file came without a name."""
    size: str
    renew: bool
    """Whether returns whose label was given back get a new one."""
    at_command: bool
    """Whether a command makes it, rather than jobs."""
    requested_by: str
    requested_at: datetime = Field(sa_column=moment(nullable=False))
    moved_at: datetime = Field(sa_column=moment(nullable=False))
    """When it last went on."""
    rows_total: int
    rows_done: int = 0
    labels: int = 0
    """How many are made."""
    refused: int = 0
    """Of how many rows there is none."""
    finished_at: datetime | None = Field(default=None, sa_column=moment())
    file_size: int = Field(default=0, sa_type=BigInteger)
    """Bytes of the finished file; 0 where there is none to be had."""
    gone_at: datetime | None = Field(default=None, sa_column=moment())
    """When its rows and its file were deleted."""


class LabelRunRow(SQLModel, table=True):
    """One return of a run."""

    __tablename__ = "label_run_row"

    run_id: UUID = Field(primary_key=True, foreign_key="label_run.id", ondelete="CASCADE")
    position: int = Field(primary_key=True)
    """From 0, in the order of the file."""
    line: int
    """Where it stands in the file; 0 where there was none."""
    given: str
    """The number as it was given, cut."""
    problem: str = ""
    """Why there is no label of it; empty where there is one, and while nothing is known."""


class LabelRunPart(SQLModel, table=True):
    """A piece of a run that is made: the labels of some of its rows in one PDF."""

    __tablename__ = "label_run_part"

    run_id: UUID = Field(primary_key=True, foreign_key="label_run.id", ondelete="CASCADE")
    number: int = Field(primary_key=True)
    data: bytes | None = Field(default=None, sa_type=LargeBinary)
    """None where none of its rows has a label."""


class LabelRunChunk(SQLModel, table=True):
    """A stretch of a run's finished file; one after the other, by number, they are the file."""

    __tablename__ = "label_run_chunk"

    run_id: UUID = Field(primary_key=True, foreign_key="label_run.id", ondelete="CASCADE")
    number: int = Field(primary_key=True)
    data: bytes = Field(sa_type=LargeBinary)
