-- Every table of another system's database with the names and types of its columns, in the order of the search path.
SELECT format('%I.%I', namespace.nspname, class.relname) AS name,
    json_object_agg(attribute.attname, attribute.atttypid::regtype::text)::text AS columns
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
WHERE class.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND namespace.nspname NOT IN ('pg_catalog', 'information_schema') AND namespace.nspname !~ '^pg_'
GROUP BY namespace.nspname, class.relname
ORDER BY 1
