-- Keep the tenant from being deleted until the transaction ends; no row: it is being deleted.
SELECT erasures FROM tenant FOR KEY SHARE
