-- Forget a file that did not come to its end.
DELETE FROM import_uploads WHERE id = $1
