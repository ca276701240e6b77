"""Blocks to a file or a payload; touches neither the database nor a store."""
