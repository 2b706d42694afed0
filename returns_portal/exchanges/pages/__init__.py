"""The pages of exchanges, in words."""
