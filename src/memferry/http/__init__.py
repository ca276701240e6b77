"""The HTTP API: requests in, one verb of a service, views out."""
