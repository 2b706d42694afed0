"""Returns by the receivers of gifts: they get points, and whoever gave the gift learns nothing."""
