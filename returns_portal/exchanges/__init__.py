"""Exchanges: another size, colour or product instead of money, set aside from the moment that it is asked for."""
