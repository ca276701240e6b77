-- Make another object store the one of this database. As the owner.
INSERT INTO memferry.keys (name, value) VALUES ('store', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value
