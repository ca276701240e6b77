"""A client of the service: httpx, wire types and files; no part of the server."""

from memferry.client.client import AsyncClient, Client
from memferry.client.progress import Progress

__all__ = ["AsyncClient", "Client", "Progress"]
