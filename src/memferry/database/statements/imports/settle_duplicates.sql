-- Of several staged rows with one id the first one counts.
INSERT INTO settled_memories (place, id, outcome)
SELECT staged.place, staged.id, 'duplicate'
FROM (SELECT id, min(place) AS place FROM staged_memories GROUP BY id HAVING count(*) > 1) AS first
JOIN staged_memories AS staged ON staged.id = first.id AND staged.place > first.place
