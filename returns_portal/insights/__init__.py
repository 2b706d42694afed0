"""Weak points: what goes wrong with which goods, against how many were sold, and how sure that is."""
