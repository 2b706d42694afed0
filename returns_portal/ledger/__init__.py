"""The double-entry ledger: balanced, append-only."""
