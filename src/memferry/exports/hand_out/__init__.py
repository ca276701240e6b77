"""A finished file to whoever downloads it; reads the store."""
