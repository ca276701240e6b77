-- Workers look whether the schema is theirs before they begin.
GRANT SELECT ON public.memferry_migrations TO memferry_service;
