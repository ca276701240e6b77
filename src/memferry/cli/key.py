"""`memferry key show`: the public half of the key that signs manifests."""

from typing import TYPE_CHECKING

import typer

from memferry.cli.options import DataDir, read_settings
from memferry.settings import Settings

if TYPE_CHECKING:
    from memferry.files.signature import PublicKey

app = typer.Typer(name="key", help="The key that signs manifests.", no_args_is_help=True)


@app.callback()
def key() -> None:
    """The key that signs manifests."""


@app.command()
def show(data_dir: DataDir = None) -> None:
    """Print the public key as PEM; on standard error its short name."""
    from memferry.cli.console import make_console
    from memferry.cli.context import run

    public_key = run(_read(read_settings(data_dir)))
    make_console(stderr=True).print(f"Ed25519 key {public_key.id}")
    print(public_key.pem, end="")


async def _read(settings: Settings) -> "PublicKey":
    from memferry.app import open_database
    from memferry.cli.context import require_database
    from memferry.exports.chain import Chain

    async with require_database(settings), open_database(settings) as database:
        return await Chain(database).read_public_key()
