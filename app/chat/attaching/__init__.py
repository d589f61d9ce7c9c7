"""Files that go with a prompt: read, checked, and made parts of a message."""

from .files import Attachment, AttachmentError, attach, attach_all, attach_bytes
from .mentions import Mention, mentions, written
from .sending import refused_images, with_attached

__all__ = [
    "Attachment",
    "AttachmentError",
    "Mention",
    "attach",
    "attach_all",
    "attach_bytes",
    "mentions",
    "refused_images",
    "with_attached",
    "written",
]
