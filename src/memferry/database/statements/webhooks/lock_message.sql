-- Lock a message before a delivery of it is settled: of two transactions that settle its last deliveries, the second
-- sees that none is left.
SELECT id FROM messages WHERE id = $1 FOR UPDATE
