"""Rows to blocks: what an export reads, and how; may touch the database, never a store."""
