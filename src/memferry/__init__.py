"""memferry: a self-hosted memory store for AI agents that people can always leave."""
