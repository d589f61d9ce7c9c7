"""Who may use the server: keys, users, and how much each may ask."""
