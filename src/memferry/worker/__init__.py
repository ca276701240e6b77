"""The worker: claims what waits in the database and does it, beside the API and without it."""
