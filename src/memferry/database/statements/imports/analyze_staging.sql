-- Nothing else tells the planner how many rows there are: autovacuum does not see temporary tables.
ANALYZE staged_memories (id, place)
