"""Erasure: deletes a memory or a tenant also from stored exports and from the object store."""
