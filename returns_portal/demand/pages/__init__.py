"""The pages of what is not in stock."""
