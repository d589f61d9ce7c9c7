"""Everything that is kept, encrypted."""

from .conversations.records import SearchHit, Session, SessionLine, WholeSession
from .vault import Vault

__all__ = ["SearchHit", "Session", "SessionLine", "Vault", "WholeSession"]
