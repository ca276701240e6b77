-- One memory of the tenant, rendered as JSON.
SELECT show_memory(memory) FROM memories AS memory WHERE id = $1
