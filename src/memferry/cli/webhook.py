"""`memferry webhook list|create|edit|delete|deliveries`: addresses that are told of events."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from memferry.cli.connect import ServerName, open_client
from memferry.cli.output import AsJson, print_entries, print_json, print_rows, tell
from memferry.cli.times import show_minute
from memferry.model.webhook import EVENTS

if TYPE_CHECKING:
    from memferry.wire.webhooks import Webhook

app = typer.Typer(
    name="webhook", help="Webhooks: addresses that are told of events.", no_args_is_help=True
)

WebhookId = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id (see: list).")]
Events = Annotated[
    list[str] | None,
    typer.Option("--event", help=f"Only this event; repeat for more: {', '.join(EVENTS)}."),
]
Description = Annotated[str | None, typer.Option(help="A note.")]


@app.command("list")
def list_webhooks(server: ServerName = None, as_json: AsJson = False) -> None:
    """List webhooks, oldest first."""
    columns = {
        "id": lambda row: row.id,
        "url": lambda row: row.url,
        "events": lambda row: row.events or "all events",
        "state": _describe_state,
    }
    with open_client(server) as client:
        empty = "there is no webhook yet; create one: memferry webhook create URL"
        print_entries(client.webhooks.list(), columns, as_json=as_json, empty=empty)


@app.command()
def create(
    url: Annotated[str, typer.Argument(help="Where events are sent, https://…")],
    events: Events = None,
    description: Description = None,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """Create a webhook and print its secret, alone; it is shown only this once."""
    with open_client(server) as client:
        webhook = client.webhooks.create(url, events=events, description=description)
    if as_json:
        print_json([webhook])
    else:
        tell(f"created {webhook.id}; its secret, which signs every delivery:")
        print(webhook.secret)


@app.command()
def edit(
    webhook_id: WebhookId,
    url: Annotated[str | None, typer.Option(help="Send events there.")] = None,
    events: Events = None,
    all_events: Annotated[bool, typer.Option("--all-events", help="Of all events.")] = False,
    description: Description = None,
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Send again, or no more.")
    ] = None,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """Change a webhook; --enable also forgets its failures."""
    change: dict[str, Any] = {
        "url": url,
        "events": [] if all_events else events or None,
        "description": description,
        "enabled": enabled,
    }
    with open_client(server) as client:
        fields = {field: value for field, value in change.items() if value is not None}
        webhook = client.webhooks.update(webhook_id, **fields)
    if as_json:
        print_json([webhook])
    else:
        tell(f"changed {webhook.url}")


@app.command()
def delete(webhook_id: WebhookId, server: ServerName = None) -> None:
    """Delete a webhook with its waiting deliveries."""
    with open_client(server) as client:
        client.webhooks.delete(webhook_id)
    tell("deleted the webhook")


def _describe_state(row: "Webhook") -> str | None:
    if not row.enabled:
        return "disabled"
    failures = row.consecutive_failures
    return f"{failures:,} failures since it last worked" if failures else None


@app.command()
def deliveries(
    webhook_id: WebhookId,
    limit: Annotated[int, typer.Option(help="How many, at most.", min=1)] = 20,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """List the deliveries to a webhook, newest first."""
    columns = {
        "created (UTC)": lambda row: show_minute(row.created_at),
        "event": lambda row: row.event,
        "attempts": lambda row: row.attempt,
        "delivered": lambda row: row.delivered_at is not None,
        "last answer": lambda row: row.last_error or row.last_status,
    }
    with open_client(server) as client:
        rows = client.webhooks.list_deliveries(webhook_id, limit=limit)
        print_rows(rows, columns, as_json=as_json, empty="nothing was sent to it yet")
