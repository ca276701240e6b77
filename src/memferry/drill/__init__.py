"""A drill: the newest export is restored for real, compared, and removed again."""
