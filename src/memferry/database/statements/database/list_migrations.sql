-- What the schema consists of; outside of it, so that a database without one can be asked.
SELECT name FROM public.memferry_migrations
