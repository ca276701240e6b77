-- The rows of an export like export_by_key, in the order of documents: by namespace, then by thread, the threads by their
-- first time. Of each row it says where it stands: where a namespace or a thread begins or ends, and if it is in a thread.
-- A thread is all rows of a namespace with one metadata.parent_ref, or one source_ref that several rows share. Any other
-- row stands alone. References are compared by their digest, since a key must be small. The rows of a thread run as in
-- list_thread: by their number (metadata.chunk_index), those without one last, then by time.
-- Run inside COPY (...) TO STDOUT.
SELECT {columns}
FROM (
    SELECT id AS key_id, created_at AS key_time, namespace AS key_namespace, thread, thread_at, position, in_thread,
        lag(namespace) OVER whole IS DISTINCT FROM namespace AS begins_namespace,
        lead(namespace) OVER whole IS DISTINCT FROM namespace AS ends_namespace,
        (lag(namespace) OVER whole, lag(thread) OVER whole) IS DISTINCT FROM (namespace, thread) AS begins_thread,
        (lead(namespace) OVER whole, lead(thread) OVER whole) IS DISTINCT FROM (namespace, thread) AS ends_thread
    FROM (
        SELECT id, created_at, namespace, thread, position, bool_or(is_part) OVER same OR count(*) OVER same > 1 AS in_thread,
            min(created_at) OVER same AS thread_at
        FROM (
            SELECT id, created_at, namespace COLLATE "C" AS namespace, parent_ref IS NOT NULL AS is_part,
                coalesce(
                    CASE WHEN json_typeof(metadata -> 'chunk_index') = 'number'
                        THEN (metadata ->> 'chunk_index')::numeric END,
                    'Infinity') AS position,
                coalesce(sha256(convert_to(coalesce(parent_ref, source_ref), 'UTF8')), uuid_send(id)) AS thread
            FROM memories
            CROSS JOIN LATERAL (
                SELECT CASE WHEN json_typeof(metadata -> 'parent_ref') = 'string' THEN metadata ->> 'parent_ref' END
            ) AS link (parent_ref)
            WHERE {filters}
        ) AS candidate
        WINDOW same AS (PARTITION BY namespace, thread)
    ) AS place
    WINDOW whole AS (ORDER BY namespace, thread_at, thread, position, created_at, id)
    ORDER BY namespace, thread_at, thread, position, created_at, id OFFSET 0
) AS key
CROSS JOIN LATERAL (SELECT * FROM memories WHERE memories.id = key.key_id OFFSET 0) AS memory
ORDER BY key.key_namespace, key.thread_at, key.thread, key.position, key.key_time, key.key_id
