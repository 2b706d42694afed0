"""What the pages of coming in ask of what lies above."""
