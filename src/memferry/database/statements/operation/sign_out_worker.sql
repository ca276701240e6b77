-- Remove a worker that stops in an orderly way from the list.
DELETE FROM workers WHERE id = $1
