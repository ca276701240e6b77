"""What people bring: files of other systems and of ours, read as records. Knows no database."""
