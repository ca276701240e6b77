"""Guards of MCP: each message speaks for its own caller, within limits."""

from guards import Guard, guard_function, replace

_TENANTS = "mcp/test_tenants.py"

GUARDS: tuple[Guard, ...] = (
    # /mcp is behind authentication.
    *guard_function(
        "http/auth.py",
        "is_api",
        f"{_TENANTS}::test_without_a_valid_token_there_is_no_message",
        replace("path.startswith(_API) or path == MCP_PATH", "path.startswith(_API)"),
    ),
    # A call within the process carries the token of its request.
    *guard_function(
        "mcp/in_process.py",
        "InProcessTransport.handle_async_request",
        f"{_TENANTS}::test_tenants_side_by_side_never_see_each_other",
        replace("[*request.headers.raw, *identity]", "[*request.headers.raw]"),
    ),
    # A message has a limit before it is parsed.
    *guard_function(
        "http/mcp.py",
        "mcp_route.answer_message",
        f"{_TENANTS}::test_a_message_has_a_limit",
        replace("MESSAGE_BYTES", "10 * MESSAGE_BYTES"),
    ),
    # Text that looks like JSON stays text.
    *guard_function(
        "mcp/tool.py",
        "_unwrap",
        "mcp/test_tools.py::test_a_memory_is_saved_word_for_word",
        replace("name not in _find_nested(tool)", "False"),
    ),
)
