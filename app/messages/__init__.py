"""The neutral vocabulary that every part of the program speaks. Plain immutable data; imports nothing of ours.

What there can be thousands of is left out of cyclic garbage collection (``gc=False``): values that never change cannot
form a cycle, and opening a long conversation would otherwise set off a collection of everything, 100 ms and more.
"""

from .delta import (
    ChosenToken,
    Delta,
    Finished,
    FinishReason,
    Rerouted,
    Started,
    TextDelta,
    ThinkingDelta,
    Timings,
    TokenLogprob,
    ToolCallDelta,
    Usage,
    Waiting,
)
from .message import Message, Role
from .node import Failure, Node, NodeStatus, Quoted, Way
from .parts import Image, Part, Text, Thinking, ToolCall, ToolResult
from .request import ChatRequest, ResponseFormat, Sampling, Tool, ToolChoice

__all__ = [
    "ChatRequest",
    "ChosenToken",
    "Delta",
    "Failure",
    "FinishReason",
    "Finished",
    "Image",
    "Message",
    "Node",
    "NodeStatus",
    "Part",
    "Quoted",
    "Rerouted",
    "ResponseFormat",
    "Role",
    "Sampling",
    "Started",
    "Text",
    "TextDelta",
    "Thinking",
    "ThinkingDelta",
    "Timings",
    "TokenLogprob",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolChoice",
    "ToolResult",
    "Usage",
    "Waiting",
    "Way",
]
