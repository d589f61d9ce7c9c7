"""Who may connect, what may leave the machine, what may reach the terminal."""
