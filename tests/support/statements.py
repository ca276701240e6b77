"""Every statement as it is run, and for whom: a tenant, the service, its owner, nobody."""

import json
import re

from memferry.database.sql import read_statements
from memferry.exports.request import ExportRequest
from memferry.filters import FILTERS, Selection
from memferry.filters.orders import ORDERS
from memferry.formats import Columns, Order
from memferry.memories.search import BY_INDEX, BY_READING
from support.variants import FULL_CSV, PLAIN_VARIANTS, name_variant

# Run by the operator's command line as the owner of the tables; the service could not run them.
OF_THE_OWNER = {
    "tenants/create_tenant",
    "tenants/create_token",
    "tenants/create_sign_in_link",
    "tenants/list_tokens",
    "tenants/revoke_token",
    "tenants/list_all_audit",
    "tenants/list_tenants",
    "tenants/begin_tenant_deletion",
    "tenants/remove_tenant_rows",
    "tenants/lock_tenant",
    "tenants/finish_tenant_deletion",
    "operation/replace_store_identity",
    "drill/find_newest_export",
}

# They look at the server's sessions, and at no row of anybody.
OF_SESSIONS = {"operation/find_oldest_snapshot", "worker/end_stuck_sessions"}

# They look at the server, and at no row of anybody.
OF_SERVERS = {
    "database/look_at_replay",
    "operation/measure_lag",
    "operation/read_cluster",
    "operation/read_server_version",
    "operation/read_standby_feedback",
    "database/read_position",
    "database/read_server_start",
    "database/describe_views",
}

# They look at the workers, and at no row of anybody.
OF_WORKERS = {
    "operation/find_other_worker",
    "worker/find_silent_workers",
    "worker/forget_workers",
    "operation/list_workers",
    "operation/sign_in_worker",
    "operation/sign_out_worker",
}

# Run without a tenant, over the views across tenants (tenancy.py names their columns).
ACROSS = {
    "webhooks/claim_deliveries",
    "jobs/claim_job",
    "operation/count_jobs_at_work",
    "jobs/expire_jobs",
    "jobs/find_dead_objects",
    "exports/find_unsealed_exports",
    "exports/find_untold_exports",
    "worker/forget_manifests",
    "tenants/find_token",
    "tenants/find_sign_in",
    "jobs/find_waiting_job",
    "worker/forget_changes",
    "erasure/find_expired",
    "worker/forget_deliveries",
    "worker/forget_idempotency_keys",
    "worker/forget_messages",
    "worker/forget_uploads",
    "worker/forget_sign_ins",
}

# Run on the database of another system, whose table an operator imports.
OF_OTHER_SYSTEMS = {
    "imports/copy_records",
    "imports/list_foreign_tables",
    "imports/select_langgraph",
    "imports/select_mem0",
    "imports/select_open_webui",
}

# They make tables of their session alone, which it has already here.
OF_THE_SESSION = {"imports/create_staging", "imports/create_settled"}

# Their rows are one text each.
_ANY_ORDER, _BY_THREAD = {"exports/export_sample"}, {"exports/export_by_thread"}
_IN_FRAMES = {"exports/export_frames", "exports/probe_rows"}


def fill_statements() -> dict[str, str]:
    """Each statement file as it is run: with all filters, once per format, once per order."""
    every = dict.fromkeys(FILTERS)
    filled: dict[str, str] = {}
    for name, statement in read_statements().items():
        if name in OF_OTHER_SYSTEMS:
            continue
        whole: str = statement
        if "{filters}" in statement:
            leading = max(map(int, re.findall(r"\$(\d+)", statement)), default=0)
            whole, _ = Selection.for_scan(every).fill(statement, *range(leading))
        if "{columns}" in whole:
            filled |= _fill_columns(name, whole)
        elif "{match}" in whole:
            ways = {"by index": BY_INDEX, "by reading": BY_READING}
            filled |= {f"{name} {way}": whole.replace("{match}", ways[way]) for way in ways}
        elif "{time}" in whole:
            filled |= {f"{name} by {word}": order.fill(whole) for word, order in ORDERS.items()}
        else:
            filled[name] = whole
    return filled


def _fill_columns(name: str, statement: str) -> dict[str, str]:
    """The statement once per format that it is run for."""
    filled = {}
    for variant in (*PLAIN_VARIANTS, FULL_CSV):
        kind = ExportRequest.parse(json.dumps(variant).encode()).format
        is_text = not isinstance(kind.rows, Columns)
        if name in _IN_FRAMES and not (is_text and kind.rows.csv is None):
            continue
        if name not in _ANY_ORDER and (name in _BY_THREAD) != (kind.order is Order.THREADS):
            continue
        if "{frame}" in statement and is_text:
            continue
        filled[f"{name} as {name_variant(variant)}"] = kind.rows.render(statement)
    return filled


STATEMENTS = fill_statements()
FOR_A_TENANT = sorted(
    STATEMENTS.keys()
    - (OF_THE_OWNER | OF_SESSIONS | OF_SERVERS | OF_WORKERS | OF_THE_SESSION | ACROSS)
)
