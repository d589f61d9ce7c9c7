"""Who may ask for what: keys, passwords, tokens, and the table of what each route needs."""
