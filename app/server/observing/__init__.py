"""What the server tells of itself: health, metrics, a log, reports of errors, and what it can be asked."""
