"""What an import of a file tells: how many were taken, and what was not, by line and reason."""

from collections.abc import Callable

import msgspec

from returns_portal.errors import DomainError
from returns_portal.i18n import translate

Progress = Callable[[int, int], None]
"""Told how many rows are done, of how many."""


class Rejection(msgspec.Struct, frozen=True):
    """What was not taken: where it stands in the file, its number or name, and why."""

    line: int
    key: str
    reason: str

    @classmethod
    def of(cls, line: int, key: str, error: DomainError) -> "Rejection":
        """Say in words why; the column or field at fault stands behind."""
        reason = translate(error.sentence, **error.values)
        return cls(line, key, f"{reason} ({error.field})" if error.field else reason)


class ImportReport(msgspec.Struct):
    """What became of a file's entries."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejection] = msgspec.field(default_factory=list)

    def count(self, outcome: "str | Rejection") -> None:
        """Count one more; `outcome` is created, updated or unchanged."""
        if isinstance(outcome, Rejection):
            self.rejected.append(outcome)
        else:
            setattr(self, outcome, getattr(self, outcome) + 1)

    @property
    def exit_code(self) -> int:
        """What a program that imports ends with: 1 where anything was rejected."""
        return 1 if self.rejected else 0
