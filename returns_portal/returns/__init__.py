"""Returns: asked for by a customer, without questions."""
