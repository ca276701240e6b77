"""Guards of the sources: bounds that hostile files run into, and words that must not be taken in."""

from guards import (
    Guard,
    drop_statement,
    guard_function,
    make_false,
    make_true,
    replace_text,
)

_CHATGPT = "sources/test_chatgpt.py"
_CLAUDE = "sources/test_claude.py"
_FRONT_MATTER = "sources/test_front_matter.py"
_MARKDOWN = "sources/test_markdown.py"
_PASTE = "sources/test_paste.py"

GUARDS: tuple[Guard, ...] = (
    # Bounds.
    *guard_function(
        "sources/front_matter.py",
        "_Builder.add",
        _FRONT_MATTER,
        drop_statement("aliases are not read"),
    ),
    *guard_function(
        "sources/front_matter.py", "_Builder._enter", _FRONT_MATTER, make_false("_MOST_DEPTH")
    ),
    *guard_function(
        "sources/front_matter.py",
        "_Builder._put",
        _FRONT_MATTER,
        make_false("_MOST_NODES"),
        make_false("value", "container"),
    ),
    *guard_function(
        "sources/json_files.py",
        "read_values",
        "sources/test_json_files.py",
        make_false("_MOST_VALUES"),
    ),
    *guard_function(
        "sources/text_lines.py",
        "TextBlock.add",
        "sources/test_text_lines.py",
        make_true("text", "is_too_long"),
    ),
    *guard_function(
        "sources/saved_texts.py",
        "SavedTexts.add",
        "sources/test_saved_texts.py",
        make_false("_MOST_CHARACTERS"),
    ),
    *guard_function("sources/markdown.py", "_Reader._read_text", _MARKDOWN, make_false("too_long")),
    # What nobody has said, or wants to be kept.
    *guard_function(
        "sources/chatgpt.py",
        "_Reader.read_conversations",
        _CHATGPT,
        make_false("is_do_not_remember"),
    ),
    *guard_function(
        "sources/chatgpt_messages.py",
        "find_reason_against",
        _CHATGPT,
        make_false("_REASONING"),
        make_false("_TOOLS"),
        make_false("_ROLES"),
        make_false("is_visually_hidden_from_conversation"),
    ),
    *guard_function(
        "sources/claude_conversation.py",
        "ClaudeConversation._read_text",
        _CLAUDE,
        make_false("assistant", "blocks"),
    ),
    # Nothing is made up.
    *guard_function(
        "sources/times.py",
        "TimeReader.read",
        "sources/test_times.py",
        make_true("LATEST_STORED_MS"),
        drop_statement("UNREADABLE"),
    ),
    *guard_function(
        "sources/times.py",
        "TimeReader._convert",
        "sources/test_times.py",
        drop_statement("NO_ZONE"),
    ),
    *guard_function(
        "sources/conversations.py", "choose_time", _CHATGPT, replace_text("conversation", "record")
    ),
    # Our own exports come back as they were.
    *guard_function("sources/markdown.py", "_Reader.read_member", _MARKDOWN, make_false("OWN_KEY")),
    *guard_function("sources/paste_entries.py", "cut_entries", _PASTE, make_false("is_exact")),
    *guard_function(
        "sources/paste_entries.py", "_begins_exact_entry", _PASTE, make_true("names_time")
    ),
)
