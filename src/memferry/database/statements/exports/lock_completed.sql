-- Whether an export is completed, and keep it so until the transaction ends: no manifest is added to one that goes.
SELECT true FROM exports WHERE id = $1 AND status = 'completed' FOR SHARE
