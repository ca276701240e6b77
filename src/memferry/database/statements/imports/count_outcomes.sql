-- How many staged rows there are of each outcome.
SELECT outcome, count(*) AS rows FROM settled_memories GROUP BY outcome
