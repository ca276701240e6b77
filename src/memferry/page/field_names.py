"""What screens call the fields of the API, in forms, in what was chosen and in faults."""

from collections.abc import Mapping
from typing import Any

import msgspec
from markupsafe import Markup, escape

from memferry.errors import Invalid, MemferryError, NamespaceForbidden, TooLarge
from memferry.http.errors import describe_fault
from memferry.page.shown import show_count, show_size, show_time

_LABELS = {
    "branches": "With what was edited away",
    "compression": "Compression",
    "conflict": "If a memory is there and differs",
    "content": "Content",
    "created_after": "Created from",
    "created_before": "Created until",
    "csv_metadata": "Column metadata",
    "csv_safe": "Guarded cells",
    "description": "Description",
    "encrypt_to": "Encrypt to",
    "expires_at": "Expires",
    "fields": "Fields",
    "folders": "Folders of Markdown become",
    "format": "Format",
    "ids": "Chosen by hand",
    "include": "With",
    "max_part_bytes": "Size of parts",
    "metadata": "Metadata",
    "metadata_filter": "Metadata contains",
    "name": "Name",
    "namespace": "Namespace",
    "namespaces": "Only these namespaces",
    "per": "Chats become",
    "since": "Since",
    "tags": "Tags",
    "timezone": "Time zone",
    "updated_after": "Changed from",
    "updated_before": "Changed until",
    "url": "Address",
}
"""The id of a field of a form is its name in the API."""


def show_fault(fault: MemferryError) -> Markup:
    """What is wrong, after a link to the field of the form that it is about."""
    text = describe_fault(fault)
    field = fault.field if isinstance(fault, Invalid | TooLarge | NamespaceForbidden) else ""
    name = field.partition("[")[0]
    if name not in _LABELS:
        return escape(text)
    reason = text.removeprefix(f"{field}: ")
    return Markup('<a href="#{}">{}</a>: {}').format(name, _LABELS[name], reason)


def show_job_error(text: str) -> str:
    """Why a job failed: of a file that none of the sources knows, as a sentence."""
    prefix = "file: is "
    return f"The file is {text.removeprefix(prefix)}" if text.startswith(prefix) else text


def show_choices(body: Mapping[str, Any]) -> list[tuple[str, Markup]]:
    """What was chosen, as pairs of a label and its value."""
    return [(_LABELS.get(name, name), _show_value(name, value)) for name, value in body.items()]


def _show_value(name: str, value: Any) -> Markup:
    match value:
        case True:
            return Markup("yes")
        case int():
            return show_size(value) if name.endswith("_bytes") else show_time(value)
        case [*ids] if name == "ids":
            return show_count(len(ids), "memory", "memories")
        case [*texts] if name != "metadata_filter":
            return Markup(", ").join(Markup("<bdi>{}</bdi>").format(text) for text in texts)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return Markup("<bdi>{}</bdi>").format(text)
