"""A client of the service: httpx, wire types and files; no part of the server."""
