"""`memferry serve`: everything in one command."""

from typing import TYPE_CHECKING, Annotated

import typer

from memferry.cli.options import DataDir, read_settings
from memferry.open_files import raise_open_files_limit
from memferry.settings import Settings

if TYPE_CHECKING:
    from memferry.supervisor import FirstAccess

app = typer.Typer()

_FIRST_STEPS = """
This is the first start. Open this link to look around; it signs you in once, within 15 minutes:

    {url}{link}

A token for the tenant "default", shown only this once:

    {token}

Save a memory, then export everything:

    curl -s {url}/api/memories -H 'Authorization: Bearer {token}' \\
         -H 'Content-Type: application/json' -d '{{"content": "Prefers short answers."}}'

    curl -s {url}/api/memories/exports -H 'Authorization: Bearer {token}' \\
         -H 'Content-Type: application/json' -d '{{"format": "ndjson"}}'
"""
_LOCAL = (
    "Programs on this machine that send no token speak for the tenant {tenant!r} "
    "(MEMFERRY_LOCAL_TENANT)."
)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 3122,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="An API alone: workers run elsewhere.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Run the service: PostgreSQL, the API and one worker, until SIGTERM or Ctrl-C."""
    from memferry.cli.context import run
    from memferry.supervisor import serve as serve_all

    raise_open_files_limit()
    settings = read_settings(data_dir)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def print_start(first: "FirstAccess | None") -> None:
        _print_start(settings, url, first)

    run(serve_all(settings, host, port, print_start, with_worker=not no_worker))
    print("memferry has stopped", flush=True)


def _print_start(settings: Settings, url: str, first: "FirstAccess | None") -> None:
    if first is not None:
        link, token = first.link.path, first.token.text
        print(_FIRST_STEPS.format(url=settings.web.public_url or url, link=link, token=token))
    if settings.web.local_tenant is not None:
        print(_LOCAL.format(tenant=settings.web.local_tenant), flush=True)
    print(f"memferry listens on {url} (page: {url}/, API: {url}/docs)", flush=True)
