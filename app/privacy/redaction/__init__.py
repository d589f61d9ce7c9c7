"""Personal data is replaced before a text leaves the machine, and put back into what is answered."""

from .encoded import is_sealed, redact_encoded
from .redactor import KINDS, RedactionMemory, Redactor
from .restoring import Restorer
from .spans import Detector, Span

__all__ = ["KINDS", "Detector", "RedactionMemory", "Redactor", "Restorer", "Span", "is_sealed", "redact_encoded"]
