"""Memories: save, change, delete, list and search them."""
