"""Loyal customers: levels by what they kept, and surprises that nobody paid for. Nobody is punished for returning."""
