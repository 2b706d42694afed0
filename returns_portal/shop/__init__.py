"""The shop: its name, its addresses, its policies."""
