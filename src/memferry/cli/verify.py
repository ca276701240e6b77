"""`memferry verify`: files and their manifests, offline."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memferry.cli.output import print_line
from memferry.errors import Invalid

if TYPE_CHECKING:
    from memferry.files.signature import PublicKey

app = typer.Typer()

Files = Annotated[
    list[Path], typer.Argument(help="Files of exports, or manifests; parts beside them are found.")
]
Manifest = Annotated[
    Path | None, typer.Option(help="The manifest of the files, if it lies elsewhere.")
]
Key = Annotated[
    str | None,
    typer.Option(help="The key that must have signed: a file of memferry key show, or its base64."),
]
Identity = Annotated[
    Path | None, typer.Option(help="Look into encrypted files with the keys in this file.")
]


@app.command()
def verify(
    files: Files, manifest: Manifest = None, key: Key = None, identity: Identity = None
) -> None:
    """Prove by its manifest that an export is whole and unchanged; ends with 1 if it is not."""
    from memferry.client.decrypt import read_identities
    from memferry.client.verify import Verification

    verification = Verification(
        files,
        manifest,
        None if key is None else _read_key(key),
        None if identity is None else read_identities(identity),
    )
    wrong = False
    for verdict in verification.run():
        wrong = wrong or verdict.kind == "wrong"
        print_line(f"{verdict.kind:5} {verdict.file}: {verdict.text}")
    if wrong:
        raise typer.Exit(1)


def _read_key(text: str) -> "PublicKey":
    from memferry.files.signature import PublicKey

    path = Path(text)
    try:
        if path.exists():
            text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as fault:
        raise Invalid("--key", f"cannot read {text}") from fault
    return PublicKey.read("--key", text)
