"""What a file is: its kind, its compression, its encryption. No I/O."""
