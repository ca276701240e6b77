-- Lock a message before a delivery of it is settled: of those that settle its last deliveries one sees that they are.
SELECT id FROM messages WHERE id = $1 FOR UPDATE
