-- Lists by the last change, of all memories and of one namespace, at the cost of one page wherever it begins.

CREATE INDEX memories_by_change ON memferry.memories (tenant_id, updated_at, id);
CREATE INDEX memories_by_namespace_change ON memferry.memories (tenant_id, namespace, updated_at, id);
