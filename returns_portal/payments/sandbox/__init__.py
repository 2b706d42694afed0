"""A Stripe sandbox that remembers: the part of Stripe's API that the portal uses, strict where money is.

It is a process of its own with its own PostgreSQL schema and its own commits, spoken to only over HTTP by the
real SDK. No money moves: it takes only `sk_test_` keys and test cards, and says `livemode: false`. What it
does not simulate it answers with 501. `control.py` describes what tests can tell it to do.
"""

from returns_portal.payments.sandbox.app import create_sandbox
from returns_portal.payments.sandbox.server import run

__all__ = ["create_sandbox", "run"]
