-- Take back every export that may hold one of the memories $1, which are locked and deleted next. What is completed
-- loses its bytes; what is being written starts again in a new snapshot, which counts as no failure: the attempt is
-- fenced off, and its lease is over. Too many may be taken back, none may be missed:
-- - a memory that was changed after the snapshot may have matched before; an hour is longer than any change takes
--   to commit, which is when a snapshot sees it;
-- - created_at may be brought along, so it does not tell when a memory was saved. Its id does (RFC 9562, section
--   5.7), by the clock of another machine, which is trusted to a day.
-- Rows are locked by id, as by all that lock several. A locked row is looked at again, so what a worker completes at this
-- moment is found completed; against all memories, because they are counted: a join, which EXISTS would become, would
-- compare it again with the one memory that it was joined to.
WITH erased AS MATERIALIZED (
    SELECT namespace, to_jsonb(tags) AS tags, metadata::jsonb AS metadata, created_at, updated_at,
        CASE WHEN substr(id::text, 15, 1) = '7'
            THEN ('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint
        END AS saved_at
    FROM memories WHERE id = ANY ($1::uuid[])
), holding AS (
    SELECT export.id, export.status, export.object_key
    FROM exports AS export
    CROSS JOIN LATERAL json_to_record(export.request -> 'filters') AS filters (
        namespace text, tags jsonb, metadata_filter jsonb, created_after bigint, created_before bigint)
    WHERE export.status IN ('pending', 'running', 'completed')
        AND (
            SELECT count(*) FROM erased
            WHERE (erased.saved_at IS NULL
                    OR erased.saved_at <= coalesce(export.snapshot_at, export.completed_at, now_ms()) + 86400000)
                AND (filters.created_after IS NULL OR erased.created_at >= filters.created_after)
                AND (filters.created_before IS NULL OR erased.created_at <= filters.created_before)
                AND (erased.updated_at >= coalesce(export.snapshot_at, export.created_at) - 3600000
                    OR ((filters.namespace IS NULL OR erased.namespace = filters.namespace)
                        AND (export.namespaces IS NULL OR erased.namespace = ANY (export.namespaces))
                        AND (filters.tags IS NULL OR erased.tags @> filters.tags)
                        AND (filters.metadata_filter IS NULL OR filters.metadata_filter = '{}'
                            OR erased.metadata @> filters.metadata_filter)))) > 0
    ORDER BY export.id FOR UPDATE OF export
), emptied AS (
    DELETE FROM export_payloads AS payload USING holding WHERE payload.export_id = holding.id
), unsealed AS (
    DELETE FROM export_manifests AS manifest USING holding WHERE manifest.export_id = holding.id
), restarted AS (
    UPDATE exports AS export
    SET attempt = export.attempt + 1, leased_until = now(),
        failures = export.failures - CASE WHEN export.leased_until > now() THEN 1 ELSE 0 END
    FROM holding
    WHERE export.id = holding.id AND holding.status = 'running'
), purged AS (
    UPDATE exports AS export SET status = 'expired', object_key = NULL, purged_at = now_ms()
    FROM holding
    WHERE export.id = holding.id AND holding.status = 'completed'
    RETURNING export.id, export.request, export.row_count, export.bytes_done
)
SELECT purged.id, holding.object_key,
    note('export.deleted', 'ok', purged.id, purged.request -> 'filters', purged.row_count, purged.bytes_done,
        'memory erased')
FROM holding JOIN purged ON purged.id = holding.id
