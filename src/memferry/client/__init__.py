"""A client of the service: httpx, the shapes of its answers, and files; no part of the server."""
