-- Store the identity of the object store, unless there is one.
INSERT INTO keys (name, value) VALUES ('store', $1) ON CONFLICT DO NOTHING
