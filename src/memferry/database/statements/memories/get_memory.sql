-- One memory of the tenant, rendered.
SELECT row_to_json(memory)::text FROM memories AS memory WHERE id = $1
