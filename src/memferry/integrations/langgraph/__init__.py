"""A store of LangGraph whose items are memories; the extra is memferry[langgraph]."""

from memferry.errors import NotInstalled

try:
    from memferry.integrations.langgraph.store import AsyncMemferryStore, MemferryStore
    from memferry.integrations.langgraph.vector_index import VectorIndexConfig
except ModuleNotFoundError as fault:
    text = "langgraph-checkpoint is not installed: pip install 'memferry[langgraph]'"
    raise NotInstalled(text) from fault

__all__ = ["AsyncMemferryStore", "MemferryStore", "VectorIndexConfig"]
