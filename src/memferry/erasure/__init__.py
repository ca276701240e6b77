"""What is deleted is gone everywhere: from exports that hold it, and from the object store."""
