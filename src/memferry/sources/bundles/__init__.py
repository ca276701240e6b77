"""Files as they come: packed, in archives, in folders; opened as members of one bundle."""
