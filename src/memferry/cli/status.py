"""`memferry status`: which service, as whom, how much is there, and whether it is well."""

from typing import TYPE_CHECKING, Any

import typer

from memferry.cli.connect import ServerName, Target, find_target
from memferry.cli.jobs import list_newest
from memferry.cli.output import AsJson, print_fields, print_json
from memferry.errors import Forbidden

if TYPE_CHECKING:
    from memferry.client import Client

app = typer.Typer()

_RECENT_JOBS = 100


@app.command()
def status(server: ServerName = None, as_json: AsJson = False) -> None:
    """Show what the service is, what is there, and its health; ends with 1 if it is not ready.

    What the token may not see is left out.
    """
    from memferry.client import Client

    target = find_target(server)
    with Client(target.url, target.token) as client:
        report = _describe(client, target)
    if as_json:
        print_json([report])
    else:
        print_fields({name.replace("_", " "): value for name, value in report.items()})
    if not report["ready"]:
        raise typer.Exit(1)


def _describe(client: "Client", target: Target) -> dict[str, Any]:
    readiness, me = client.get_readiness(), client.get_me()
    report: dict[str, Any] = {
        "server": target.url,
        "name": target.name or None,
        "ready": readiness.ready,
        "error": readiness.error,
        "tenant": me.org.name,
        "token": me.user.name or None,
        "scopes": me.user.scopes,
        "namespaces": me.user.namespaces,
    }
    for part in (_describe_memories, _describe_jobs):
        try:
            report |= part(client)
        except Forbidden:
            continue
    return report


def _describe_memories(client: "Client") -> dict[str, Any]:
    return {
        "memories": client.memories.count(),
        "memory_limit": client.get_limits().memories.limit,
    }


def _describe_jobs(client: "Client") -> dict[str, Any]:
    """The states of the newest jobs, counted."""
    jobs = list_newest(client, _RECENT_JOBS)
    states = ("pending", "running", "failed")
    return {f"jobs_{state}": sum(job.status == state for job in jobs) for state in states}
