"""The dock: parcels, and what was counted in them."""
