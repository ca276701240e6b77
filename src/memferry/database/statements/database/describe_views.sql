-- Of which text the views were made; NULL without views.
SELECT obj_description(to_regnamespace('memferry_service'), 'pg_namespace')
