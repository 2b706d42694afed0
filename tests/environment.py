"""The environment of the portal's own processes in tests."""


def environment(database_url: str) -> dict[str, str]:
    """Settings of a portal on this database that is no demo, and whose mail server nobody answers for."""
    return {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "test-secret-" * 4,
        "SMTP_URL": "smtps://127.0.0.1:1",
        "MAIL_FROM": "help@shop.example",
    }
