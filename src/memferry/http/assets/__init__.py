"""Files that the service hands out as they are."""
