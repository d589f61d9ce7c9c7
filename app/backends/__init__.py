"""What answers requests: one file or folder for each kind of model, all behind the seam in ``base.py``."""
