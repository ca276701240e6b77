"""One life for all background work: queue, lease, attempt, retry, sweep; knows no type of job."""
