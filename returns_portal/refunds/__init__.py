"""Refunds: how much, where to, and whether it happened."""
