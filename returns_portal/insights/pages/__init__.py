"""The pages of weak points, for those who can do something about them."""
