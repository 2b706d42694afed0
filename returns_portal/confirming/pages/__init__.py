"""The pages of new orders."""
