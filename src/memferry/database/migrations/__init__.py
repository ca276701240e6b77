"""Forward-only steps of the schema, applied in order of their names."""
