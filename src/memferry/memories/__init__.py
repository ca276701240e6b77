"""The memories of a tenant: save, change, delete, list and search them."""
