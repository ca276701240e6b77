"""The demo: real memories through the public API, exported every way."""
