"""Bonus points: what a customer has, by the ledger."""
