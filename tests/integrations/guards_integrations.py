"""Guards of the frameworks: what is kept apart, what comes back exactly, what is refused."""

from guards import (
    Guard,
    drop_item,
    drop_statement,
    guard_function,
    make_false,
    make_true,
    replace,
    set_item,
)

_STORE = "integrations/langgraph/test_store.py"
_SEARCH = "integrations/langgraph/test_store_search.py"
_EXPIRY = "integrations/langgraph/test_store_expiry.py"
_APART = f"{_STORE}::test_stores_of_two_roots_and_other_memories_are_apart"
_TWO_NAMESPACES = f"{_STORE}::test_one_key_in_two_namespaces_is_two_items"
_REFUSED = f"{_STORE}::test_what_json_does_not_hold_is_refused"
_EMBEDDINGS = "integrations/langgraph/test_embeddings.py"
_VECTORS = "integrations/langgraph/test_vector_search.py"
_BESIDE = "integrations/langgraph/test_side_by_side.py"
_SESSIONS = "integrations/test_openai_agents.py"
_RETRIEVER = "integrations/test_langchain.py"

GUARDS: tuple[Guard, ...] = (
    # A store reads what stands below its root, and nothing beside it.
    *guard_function(
        "integrations/langgraph/items.py",
        "read_labels",
        _APART,
        make_true("startswith"),
        make_true("start"),
    ),
    *guard_function(
        "integrations/langgraph/operations.py",
        "StoreOperations.__init__",
        f"{_STORE}::test_a_root_that_could_not_be_told_from_labels_is_refused",
        make_false("."),
    ),
    # An item is one key in one namespace; a put changes and deletes no other.
    *guard_function(
        "integrations/langgraph/operations.py",
        "StoreOperations._find",
        _TWO_NAMESPACES,
        drop_item("namespace"),
        drop_item("metadata_filter"),
    ),
    *guard_function(
        "integrations/langgraph/items.py",
        "match_prefix",
        f"{_SEARCH}::test_a_search_is_below_a_prefix_of_labels_and_paged",
        drop_item("namespace"),
    ),
    # The dot between labels stands in none of them.
    *guard_function(
        "integrations/langgraph/batches.py",
        "make_batch",
        f"{_STORE}::test_operations_are_checked_like_methods",
        drop_statement("check_labels"),
    ),
    # A value comes back as it was, or is refused.
    *guard_function(
        "integrations/exact_values.py",
        "encode_value",
        _REFUSED,
        drop_statement("_check_keys"),
        set_item("allow_nan", "True"),
    ),
    *guard_function(
        "integrations/exact_values.py",
        "encode_value",
        f"{_STORE}::test_a_value_comes_back_exactly_with_types_and_order",
        make_true("is_utf8"),
    ),
    # Limits: a time to live is one, and a filter is within what the service takes.
    *guard_function(
        "integrations/langgraph/items.py",
        "make_ttl_ms",
        f"{_EXPIRY}::test_a_time_to_live_is_above_0",
        make_false("_LONGEST_MINUTES"),
    ),
    *guard_function(
        "integrations/langgraph/value_filters.py",
        "list_short_fields",
        f"{_SEARCH}::test_a_filter_may_have_more_fields_than_the_service_takes",
        replace("_SENT_FIELDS", "None"),
    ),
    # A vector is that of its text, as it was computed, or is refused.
    *guard_function(
        "integrations/langgraph/vectors.py",
        "encode_vector",
        f"{_EMBEDDINGS}::test_what_is_no_embedding_is_refused_and_nothing_saved",
        make_false("isfinite"),
    ),
    *guard_function(
        "integrations/langgraph/vector_index.py",
        "VectorIndex._encode",
        f"{_EMBEDDINGS}::test_what_is_no_embedding_is_refused_and_nothing_saved",
        make_false("_dims"),
    ),
    *guard_function(
        "integrations/langgraph/vector_index.py",
        "VectorIndex._collect",
        f"{_EMBEDDINGS}::test_what_is_no_embedding_is_refused_and_nothing_saved",
        make_false("len"),
    ),
    *guard_function(
        "integrations/langgraph/items.py",
        "make_metadata",
        f"{_EMBEDDINGS}::test_more_vectors_than_metadata_holds_are_refused",
        make_false("METADATA_BYTES"),
    ),
    *guard_function(
        "integrations/langgraph/operations.py",
        "_choose_vectors",
        f"{_VECTORS}::test_a_put_replaces_vectors_and_one_without_embedding_leaves_them",
        make_false("texts", "None"),
        make_true("texts", "None"),
    ),
    # Puts of one key come one after the other, and not more of all at once than is good for others.
    *guard_function(
        "integrations/langgraph/key_locks.py",
        "KeyLocks.find",
        f"{_BESIDE}::test_puts_of_one_key_side_by_side_make_one_memory",
        replace("self._locks.setdefault(key, self._make_lock())", "self._make_lock()"),
    ),
    # A session is its own items, all of them or none, in their order.
    *guard_function(
        "integrations/openai_agents.py",
        "MemferrySession._list_rows",
        f"{_SESSIONS}::test_a_cleared_session_is_empty_and_others_stay",
        drop_item("namespace"),
        drop_item("parent_ref"),
        drop_item("session"),
    ),
    *guard_function(
        "integrations/openai_agents.py",
        "MemferrySession.add_items",
        f"{_SESSIONS}::test_of_items_one_of_which_cannot_be_saved_none_is",
        drop_statement("_delete"),
    ),
    *guard_function(
        "integrations/openai_agents.py",
        "MemferrySession.add_items",
        f"{_SESSIONS}::test_items_come_back_in_order_and_exactly",
        drop_item("newest"),
    ),
    # A retriever that is given filters finds nothing beyond them, also if their name is mistaken.
    *guard_function(
        "integrations/langchain.py",
        "MemferryRetriever",
        f"{_RETRIEVER}::test_a_mistaken_argument_is_refused",
        set_item("extra", '"ignore"'),
    ),
    *guard_function(
        "integrations/langchain.py",
        "MemferryRetriever._get_relevant_documents",
        f"{_RETRIEVER}::test_documents_are_hits_of_a_search",
        replace("self.filters", "{}"),
    ),
    *guard_function(
        "integrations/langchain.py",
        "MemferryRetriever._aget_relevant_documents",
        f"{_RETRIEVER}::test_both_clients_are_awaited",
        replace("self.filters", "{}"),
    ),
)
