-- Note an event that belongs to no other change.
SELECT note($1, $2, $3, NULL, NULL, $4, $5)
