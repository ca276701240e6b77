"""Frozen types, the rules of valid input, and the table of allowed state changes."""
