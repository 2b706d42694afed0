"""What the pages of trials show, put together before they are rendered."""
