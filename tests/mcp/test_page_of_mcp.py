"""The page of MCP: its table has every tool, and its configurations lead here."""

import json
import re
from pathlib import Path
from typing import Any

from memferry.mcp.tools import TOOLS
from memferry.settings import Settings, list_settings

_PAGE = (Path(__file__).parents[2] / "docs/mcp.md").read_text()


def test_the_page_lists_every_tool() -> None:
    assert re.findall(r"^\| `(\w+)` \|", _PAGE, re.MULTILINE) == list(TOOLS)


def test_each_configuration_is_json_that_leads_to_the_server() -> None:
    blocks = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", _PAGE, re.DOTALL)]
    servers = [(block.get("mcpServers") or block["servers"])["memferry"] for block in blocks]

    assert len(servers) == 4
    for server in servers:
        assert _starts_command(server) or _reaches_address(server)


def _starts_command(server: dict[str, Any]) -> bool:
    known = {setting.metadata["name"] for setting in list_settings(Settings)}
    command = (server.get("command"), server.get("args"))
    return command == ("memferry", ["mcp"]) and set(server["env"]) <= known


def _reaches_address(server: dict[str, Any]) -> bool:
    authorization = str(server.get("headers", {}).get("Authorization", ""))
    return str(server.get("url")).endswith(":3122/mcp") and authorization.startswith("Bearer ")
