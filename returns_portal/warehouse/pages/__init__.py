"""The pages of the dock: what they show, and what their forms do."""
