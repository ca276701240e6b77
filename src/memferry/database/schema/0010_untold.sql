-- Exports that ran in their request and of which the webhooks are told in a transaction of its own: the snapshot of the
-- export would conflict with every delivery that is noted in the row of its webhook meanwhile.

ALTER TABLE memferry.jobs ADD COLUMN untold boolean;
CREATE INDEX jobs_untold ON memferry.jobs (tenant_id, id) WHERE untold;
