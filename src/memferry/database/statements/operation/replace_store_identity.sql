-- Another store is the database's from now on. As the owner.
INSERT INTO memferry.keys (name, value) VALUES ('store', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value
