"""What operators ask: the identity of the store, the workers, and readiness."""
