-- Write an audit entry of an event that no other statement writes.
INSERT INTO audit (event, outcome, subject, byte_count, detail, times) VALUES ($1, $2, $3, $4, $5, $6)
