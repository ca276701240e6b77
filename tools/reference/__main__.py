"""Writes docs/api anew, from the OpenAPI document and real answers of a service: ./run api."""

import os
import tempfile
from pathlib import Path

import httpx

from memferry.demo.service import run_service
from memferry.model.token import SCOPES
from reference.calls import run_examples
from reference.examples import EXAMPLES
from reference.pages import FOLDER, make_pages


def main() -> None:
    """Start a service, run the examples, write the pages."""
    # The program that receives the messages of webhooks is on this machine.
    os.environ["MEMFERRY_WEBHOOKS_ALLOW_PRIVATE"] = "true"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with run_service(Path(folder, "data")) as service:
            token = service.create_token(service.name_tenant("reference"), SCOPES)
            document = httpx.get(f"{service.url}/openapi.json").json()
            calls = run_examples(EXAMPLES, service.url, token)
    for name, text in make_pages(document, calls).items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
