"""Rows of other memory stores, and the fields that they have."""
