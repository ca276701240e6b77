-- The migrations that were applied. The table stands outside the schema, so that a database without one can be asked.
SELECT name FROM public.memferry_migrations
