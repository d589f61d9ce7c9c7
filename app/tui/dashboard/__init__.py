"""The Dashboard pane: what models did over time, in figures and bars."""
