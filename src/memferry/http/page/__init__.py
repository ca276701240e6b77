"""The pages that the service shows to people; nothing in them comes from another host."""
