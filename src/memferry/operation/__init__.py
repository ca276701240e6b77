"""What an operator wants to know: whether this is the right store, and who is at work."""
