"""E-mail: written with the change that causes it, sent once."""
