"""Notes that people write: Markdown and pasted lines."""
