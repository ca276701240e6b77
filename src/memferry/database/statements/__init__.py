"""One SQL statement per file; `memferry.database.sql` hands them out by name."""
