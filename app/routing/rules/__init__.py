"""What the user wants changed on the way to an endpoint and back: headers, patterns in texts, paths in bodies."""

from .compiling import compile_rules
from .wire import EndpointRules

__all__ = ["EndpointRules", "compile_rules"]
