"""Conversations of assistants, as trees of messages."""
