"""The import of a table of another system, in the process of the command."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memferry.app import open_long_database
from memferry.cli.context import require_database, run
from memferry.cli.import_report import print_report
from memferry.cli.options import read_settings
from memferry.cli.output import print_line
from memferry.errors import Invalid
from memferry.imports.request import ImportRequest
from memferry.imports.table_import import TableImport
from memferry.settings import Settings
from memferry.tenants.operator import Operator
from memferry.wire.imports import ImportReport


def import_table(
    address: str,
    table: str | None,
    tenant: str | None,
    options: Mapping[str, Any],
    data_dir: Path | None,
) -> bool:
    """Import a table for a tenant, and print the report; answers whether all is well.

    Raises Invalid that names the option.
    """
    if tenant is None:
        raise Invalid("--tenant", "needed with --from; see: memferry tenant list")
    settings = read_settings(data_dir)
    request = ImportRequest(**{name: value for name, value in options.items() if value})
    report = run(_import(settings, address, table, tenant, request))
    if report.rejected and request.on_error == "abort":
        print_line("nothing was imported; --on-error skip would keep what is good")
    print_report(report)
    return report.rejected == 0


async def _import(
    settings: Settings, address: str, table: str | None, tenant: str, request: ImportRequest
) -> ImportReport:
    async with require_database(settings) as url:
        tenant_id = await Operator(url).find_tenant(tenant)
        async with open_long_database(
            settings, long_running_seconds=settings.worker.import_seconds, program="memferry"
        ) as database:
            tables = TableImport(database, settings.quotas)
            return await tables.run(tenant_id, address, request, table)
