"""Memories as tools of models, by the Model Context Protocol: over stdio, and at /mcp."""
