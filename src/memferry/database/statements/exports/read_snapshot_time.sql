-- When this transaction took its snapshot: it began in the same message.
SELECT floor(extract(epoch FROM now()) * 1000)::bigint
