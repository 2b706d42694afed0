"""Who may come in: staff, API keys, sessions, one-time codes, limits."""
