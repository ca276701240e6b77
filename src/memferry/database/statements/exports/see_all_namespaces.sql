-- For the rest of the transaction the views show all of the tenant, as they do to a worker.
SELECT set_config('memferry.namespaces', '', true)
