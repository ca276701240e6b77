"""The pages of the reference: one for each part of the API, and one that lists everything."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference.calls import Call
from reference.layout import cut_texts, lay_out_json
from reference.shapes import (
    Schema,
    describe_answer,
    describe_body,
    describe_parameters,
    list_references,
    name_type,
)

FOLDER = Path(__file__).parents[2] / "docs/api"
MARK = "<!-- From here on this page is made of the OpenAPI document: ./run api -->\n"
_PARTS = {
    "memories": ("memories",),
    "exports": ("exports",),
    "imports": ("imports",),
    "projects": ("projects",),
    "webhooks": ("webhooks",),
    "tokens": ("tokens",),
    "service": ("health", "limits", "audit"),
}
"""The pages, each with the tags of its operations."""
ALL_TAGS = [tag for tags in _PARTS.values() for tag in tags]
_LEAST_COMMON_FIELDS = 4
_FIRST_FAILURE = 400


@dataclass(frozen=True)
class Section:
    """What is done alike at one or more addresses."""

    title: str
    addresses: tuple[str, ...]
    operation: Mapping[str, Any]
    """As the document describes the first address."""

    @property
    def anchor(self) -> str:
        """Where it stands on its page."""
        return self.title.lower().replace(" ", "-")

    @property
    def access(self) -> str:
        """The scopes that it needs, in words."""
        sets = [
            " and ".join(f"`{scope}`" for scope in sets["token"]) or "any token"
            for sets in self.operation["security"]
        ]
        return " or ".join(sets) or "no token"

    @property
    def body(self) -> Schema:
        """The schema of its JSON body; empty: it takes none."""
        content = self.operation.get("requestBody", {}).get("content", {})
        schema: Schema = content.get("application/json", {}).get("schema", {})
        return schema


def make_pages(document: Mapping[str, Any], calls: Sequence[Call]) -> dict[str, str]:
    """The pages by their names, made of the OpenAPI document and of examples that were run."""
    sections = {part: list_sections(document, tags) for part, tags in _PARTS.items()}
    pages = {
        f"{part}.md": _make_page(part, sections[part], document["components"]["schemas"], calls)
        for part in _PARTS
    }
    head, _, _ = (FOLDER / "index.md").read_text().partition(MARK)
    tables = f"{_list_all(sections)}\n{_list_statuses(document)}"
    return pages | {"index.md": f"{head}{MARK}\n{tables}"}


def list_sections(document: Mapping[str, Any], tags: Sequence[str] = ALL_TAGS) -> list[Section]:
    """The operations with one of these tags; those of one name make one section."""
    sections: dict[str, Section] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation["tags"][0] in tags:
                title = operation["summary"].capitalize()
                known = sections.get(title, Section(title, (), operation))
                addresses = (*known.addresses, f"{method.upper()} {path}")
                sections[title] = Section(title, addresses, known.operation)
    return list(sections.values())


def _list_all(sections: Mapping[str, Sequence[Section]]) -> str:
    lines = ["| address | what it does | access |", "| --- | --- | --- |"]
    for part, listed in sections.items():
        for section in listed:
            addresses = "<br>".join(f"`{address}`" for address in section.addresses)
            link = f"[{section.title}]({part}.md#{section.anchor})"
            lines.append(f"| {addresses} | {link} | {section.access} |")
    return "\n".join([*lines, ""])


def _list_statuses(document: Mapping[str, Any]) -> str:
    """What each status of an error means."""
    meanings = {
        status: answer["description"]
        for methods in document["paths"].values()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if int(status) >= _FIRST_FAILURE
    }
    rows = [f"| {status} | {meanings[status]} |" for status in sorted(meanings)]
    return "\n".join(
        ["## Statuses of errors", "", "| status | meaning |", "| --- | --- |", *rows, ""]
    )


def _make_page(
    part: str, sections: Sequence[Section], schemas: Mapping[str, Schema], calls: Sequence[Call]
) -> str:
    names = _list_shapes([section.operation for section in sections], schemas)
    shapes = [_describe_shape(name, names, schemas) for name in names]
    return (
        "\n\n".join(
            [
                f"# API: {part}",
                "[All calls](index.md), and what holds for each of them.",
                *(_describe_section(section, sections, calls) for section in sections),
                *(["## Shapes", *shapes] if shapes else []),
            ]
        )
        + "\n"
    )


def _describe_section(section: Section, page: Sequence[Section], calls: Sequence[Call]) -> str:
    operation = section.operation
    addresses = ", ".join(f"`{address}`" for address in section.addresses)
    known = {name_operation(address) for address in section.addresses}
    parts = [
        f"## {section.title}",
        f"{addresses} needs {section.access}.",
        operation["description"],
        describe_parameters(operation.get("parameters", ())),
        _describe_sent(section, page),
        _describe_statuses(operation["responses"]),
        *(_show_call(call) for call in calls if name_operation(call.address) in known),
    ]
    return "\n\n".join(part for part in parts if part)


def _describe_sent(section: Section, page: Sequence[Section]) -> str:
    """The body of the request, if there is one; what stands above is not repeated."""
    if not section.body:
        files = "The body is a file, or a multipart form of files named `file`."
        return files if "requestBody" in section.operation else ""
    first = next(other for other in page if other.body == section.body)
    if first != section:
        return f"The body is that of [{first.title}](#{first.anchor})."
    return f"{section.body['description']}\n\n{describe_body(section.body)}"


def _describe_statuses(responses: Mapping[str, Any]) -> str:
    """What is answered, and the statuses of errors."""
    failures = [status for status in responses if int(status) >= _FIRST_FAILURE]
    (done,) = (status for status in responses if status not in failures)
    content = responses[done].get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    what = f"with {_name_whole(schema)}" if schema else "with the bytes of the file"
    errors = f"; errors: {', '.join(failures)}" if failures else ""
    return f"Answers {done} {what if content else 'without a body'}{errors}."


def _name_whole(schema: Schema) -> str:
    name = name_type(schema)
    return f"a {name}" if name.startswith("list") else name


def _show_call(call: Call) -> str:
    """A request and its answer as blocks of code."""
    request = f"```sh\n{call.command}\n```"
    if call.answer is None:
        return f"{request}\n\nanswers {call.status}."
    if isinstance(call.answer, str):
        return f"{request}\n\nanswers {call.status}:\n\n```text\n{call.answer.strip()}\n```"
    answer = lay_out_json(cut_texts(call.answer))
    return f"{request}\n\nanswers {call.status}:\n\n```json\n{answer}\n```"


def _list_shapes(
    operations: Sequence[Mapping[str, Any]], schemas: Mapping[str, Schema]
) -> list[str]:
    """The names of the shapes that operations mention, and of those in these."""
    names: list[str] = []
    for operation in operations:
        waiting = list(list_references([operation.get("requestBody"), operation["responses"]]))
        while waiting:
            name = waiting.pop(0)
            if name not in names and name != "Error":
                names.append(name)
                waiting += list_references(schemas[name])
    return names


def _describe_shape(name: str, names: Sequence[str], schemas: Mapping[str, Schema]) -> str:
    """A shape as a table; one that only adds fields to another one shows these."""
    shape = schemas[name]
    fields, required = shape["properties"], shape.get("required", ())
    parts = [f"### Shape {name}", shape["description"]]
    if base := _find_base(name, names, schemas):
        common = schemas[base]["properties"]
        fields = {key: field for key, field in fields.items() if key not in common}
        parts.append(f"All fields of [{base}](#shape-{base.lower()}), and:")
    return "\n\n".join([*parts, describe_answer(fields, required)])


def _find_base(name: str, names: Sequence[str], schemas: Mapping[str, Schema]) -> str:
    """The largest other shape on the page all of whose fields this one has."""
    fields = schemas[name]["properties"].items()
    bases = [
        other
        for other in names
        if len(schemas[other]["properties"]) >= _LEAST_COMMON_FIELDS
        and schemas[other]["properties"].items() < fields
    ]
    return max(bases, key=lambda other: len(schemas[other]["properties"]), default="")


def name_operation(address: str) -> str:
    """An address without its query and without the names of values in its path."""
    return re.sub(r"[<{]\w+[>}]", "{}", address.partition("?")[0])
