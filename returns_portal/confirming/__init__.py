"""New orders as a person would confirm them: the customer is told, called where it helps, the courier announced."""
