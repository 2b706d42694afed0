"""Payments: the gateway to Stripe, and a Stripe sandbox that remembers."""
