"""Tenants, their tokens and their limits."""
