"""Questions that people ask the shop, and what a person answers."""
