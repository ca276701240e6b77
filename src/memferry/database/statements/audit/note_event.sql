-- Note an event that belongs to no other change.
INSERT INTO audit (event, outcome, subject, byte_count, detail, times) VALUES ($1, $2, $3, $4, $5, $6)
