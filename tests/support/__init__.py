"""What tests share: importable, and without a test."""
