"""The pages of the programme: its rules, where a customer stands, and what it brings."""
