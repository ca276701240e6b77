-- One memory of the tenant, rendered as JSON.
SELECT row_to_json(memory)::text FROM memories AS memory WHERE id = $1
