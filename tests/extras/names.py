"""The models of the extras, by name."""

TORCH_EMBEDDING = "all-minilm-l6-v2-torch"
TORCH_SPEECH = "whisper-base-torch"
