"""Prepaid labels: what they say, and how they are printed."""
