-- Let other transactions read what this one sees; the name works until this one ends.
SELECT pg_export_snapshot()
