"""The demo: saves memories through the public API, and exports them every way."""
