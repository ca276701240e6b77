-- A worker that stops in an orderly way is not missed.
DELETE FROM workers WHERE id = $1
