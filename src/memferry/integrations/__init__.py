"""Memories in the frameworks that programs are made with; each needs an extra of its name."""
