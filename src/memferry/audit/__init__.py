"""The audit: who did what, when and from where. Entries never change and hold no content."""
