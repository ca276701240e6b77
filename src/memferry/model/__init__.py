"""Frozen types, and the rules of valid input."""
