"""Guards of the sources: bounds that hostile files run into, and words that must not be taken in."""

from guards import (
    Guard,
    drop_statement,
    guard_function,
    make_false,
    make_true,
    replace,
    replace_text,
)

_CHATGPT = "sources/test_chatgpt.py"
_CLAUDE = "sources/test_claude.py"
_FRONT_MATTER = "sources/test_front_matter.py"
_MARKDOWN = "sources/test_markdown_notes.py"
_PASTE = "sources/test_pasted_lines.py"
_CONTAINERS = "sources/test_containers.py"
_TAR = "sources/test_tar_archives.py"
_CSV = "sources/test_csv_rows.py"
_JSON = "sources/test_generic_json.py"
_PARQUET = "sources/test_parquet_rows.py"
_RECOGNITION = "sources/test_recognition.py"
_ROWS = "sources/test_memferry_rows.py"

GUARDS: tuple[Guard, ...] = (
    # Bounds.
    *guard_function(
        "sources/reading/front_matter.py",
        "_Builder.add",
        _FRONT_MATTER,
        drop_statement("aliases are not read"),
    ),
    *guard_function(
        "sources/reading/front_matter.py",
        "_Builder._enter",
        _FRONT_MATTER,
        make_false("_MOST_DEPTH"),
    ),
    *guard_function(
        "sources/reading/front_matter.py",
        "_Builder._put",
        _FRONT_MATTER,
        make_false("_MOST_NODES"),
        make_false("value", "container"),
    ),
    *guard_function(
        "sources/reading/json_files.py",
        "read_values",
        "sources/test_json_files.py",
        make_false("_MOST_VALUES"),
    ),
    *guard_function(
        "sources/reading/text_lines.py",
        "TextBlock.add",
        "sources/test_text_lines.py",
        make_false("LONGEST_BYTES"),
    ),
    *guard_function(
        "sources/chats/saved_texts.py",
        "SavedTexts.add",
        "sources/test_saved_texts.py",
        make_false("_MOST_CHARACTERS"),
    ),
    *guard_function(
        "sources/markdown.py", "_Reader._read_text", _MARKDOWN, make_false("_LONGEST_BYTES")
    ),
    # What nobody has said, or wants to be kept.
    *guard_function(
        "sources/chatgpt.py",
        "_Reader.read_conversations",
        _CHATGPT,
        make_false("is_do_not_remember"),
    ),
    *guard_function(
        "sources/chats/chatgpt_messages.py",
        "find_reason_against",
        _CHATGPT,
        make_false("_REASONING"),
        make_false("_TOOLS"),
        make_false("_ROLES"),
        make_false("is_visually_hidden_from_conversation"),
    ),
    *guard_function(
        "sources/chats/claude_conversation.py",
        "ClaudeConversation._read_text",
        _CLAUDE,
        make_false("assistant", "blocks"),
    ),
    # Nothing is made up.
    *guard_function(
        "sources/reading/times.py",
        "TimeReader.read",
        "sources/test_times.py",
        make_true("LATEST_STORED_MS"),
        drop_statement("UNREADABLE"),
    ),
    *guard_function(
        "sources/reading/times.py",
        "TimeReader._convert",
        "sources/test_times.py",
        drop_statement("NO_ZONE"),
    ),
    *guard_function(
        "sources/chats/conversations.py",
        "choose_time",
        _CHATGPT,
        replace_text("conversation", "record"),
    ),
    # Our own exports come back as they were.
    *guard_function("sources/markdown.py", "_Reader.read_member", _MARKDOWN, make_false("OWN_KEY")),
    *guard_function(
        "sources/notes/paste_entries.py", "cut_entries", _PASTE, make_false("is_exact")
    ),
    *guard_function(
        "sources/notes/paste_entries.py", "_begins_exact_entry", _PASTE, make_true("names_time")
    ),
    # Packed files: what they unpack to, where their parts lie, what they say of themselves.
    *guard_function(
        "sources/bundles/limits.py",
        "UnpackedBytes.check_member",
        _CONTAINERS,
        make_false("member_bytes"),
        make_false("ratio"),
    ),
    *guard_function(
        "sources/bundles/limits.py", "UnpackedBytes.add", _CONTAINERS, make_false("total_bytes")
    ),
    *guard_function(
        "sources/bundles/containers.py",
        "_Opener._add_archive",
        _CONTAINERS,
        make_false("archives"),
        make_false("_DOCUMENT_STARTS"),
    ),
    *guard_function(
        "sources/bundles/containers.py",
        "_find_reason_against",
        _CONTAINERS,
        make_false("is_link"),
        make_false("_SYSTEM_FILES"),
    ),
    *guard_function(
        "sources/bundles/zip_archive.py",
        "ZipEntry.fault",
        _CONTAINERS,
        make_false("is_encrypted"),
        replace("self.method not in {_STORED, _DEFLATED}", "False"),
    ),
    *guard_function(
        "sources/bundles/containers.py", "_Opener.add", _CONTAINERS, make_false("_AGE_MAGICS")
    ),
    *guard_function(
        "sources/bundles/zip_archive.py",
        "_read_directory",
        _CONTAINERS,
        make_false("count", "most"),
    ),
    *guard_function(
        "sources/bundles/zip_archive.py",
        "_check_places",
        _CONTAINERS,
        make_false("entry", "offset", "end"),
        make_false("size"),
    ),
    *guard_function(
        "sources/bundles/tar_archive.py",
        "_check_head",
        _TAR,
        make_false("sum"),
        make_false("end"),
    ),
    *guard_function(
        "sources/bundles/tar_archive.py",
        "_read_entries",
        _TAR,
        make_false("count", "most"),
        make_false("_MOST_EXTRA_BYTES"),
    ),
    *guard_function("sources/bundles/tar_archive.py", "_read_number", _TAR, make_false("_OCTAL")),
    *guard_function(
        "sources/bundles/zip_archive.py",
        "_CheckedEntry._produce",
        _CONTAINERS,
        replace("self._left < 0", "False"),
        replace("self._crc != self._entry.crc", "False"),
    ),
    *guard_function(
        "sources/bundles/compression.py", "_Zstd._produce", _CONTAINERS, make_false("_frame")
    ),
    # One damaged record never costs the others.
    *guard_function("sources/reading/elements.py", "split_lines", _ROWS, make_false("most")),
    *guard_function(
        "sources/reading/scanner.py",
        "Scanner._take_nested",
        _ROWS,
        replace('None if size > self.most else b"".join(pieces)', 'b"".join(pieces)'),
    ),
    *guard_function(
        "sources/reading/decoding.py",
        "ElementDecoder._decode_valid",
        _ROWS,
        make_false("isascii"),
    ),
    *guard_function(
        "sources/reading/decoding.py",
        "ElementDecoder._decode_valid",
        _JSON,
        make_false("find_repeated_key"),
        drop_statement("refuse_deep"),
    ),
    *guard_function("sources/reading/mending.py", "_mend_part", _ROWS, make_false("_HALF_PAIR")),
    *guard_function(
        "sources/reading/csv_table.py",
        "CsvTable._read_lines",
        _CSV,
        make_false("len", "_LINE_BYTES"),
    ),
    *guard_function(
        "sources/csv_rows.py",
        "_RowMaker._make_row",
        _CSV,
        make_false("cells", "_names"),
        make_false("_holds_surrogate"),
        make_false("_has_guards"),
    ),
    *guard_function(
        "sources/rows/guarded_csv.py", "holds_guards", _CSV, make_false("TEXT_COLUMNS")
    ),
    # What is no memory does not become one.
    *guard_function(
        "sources/rows/foreign_rows.py",
        "RowReader.read_fields",
        _JSON,
        make_false("state"),
        replace("not content", "False"),
    ),
    *guard_function("sources/recognition.py", "_is_manifest", _RECOGNITION, make_false("_DIGESTS")),
    *guard_function(
        "sources/rows/parquet_rows.py",
        "_check_size",
        _PARQUET,
        make_false("_MOST_GROUP_BYTES"),
        make_false("_MOST_RATIO"),
    ),
    *guard_function("sources/parquet.py", "ParquetTables.read", _PARQUET, make_false("find_spec")),
)
