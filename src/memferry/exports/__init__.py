"""Exports: the request, the run from rows to bytes, the job's life."""
