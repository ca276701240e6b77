"""`memferry mcp`: the memories of a server as tools of the program that starts it."""

from importlib.util import find_spec

import typer

from memferry.cli.connect import ServerName, find_target
from memferry.errors import NotInstalled

app = typer.Typer()


@app.command()
def mcp(server: ServerName = None) -> None:
    """Serve MCP on standard input and output, for Claude, Cursor and other programs of models.

    Example: claude mcp add memferry -- memferry mcp
    """
    import asyncio

    if find_spec("mcp") is None:
        raise NotInstalled("mcp is not installed: pip install 'memferry[mcp]'")
    from memferry.mcp.stdio import serve_stdio

    target = find_target(server)
    asyncio.run(serve_stdio(target.url, target.token))
