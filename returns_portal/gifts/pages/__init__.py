"""The pages for receivers of gifts."""
