"""The pages of questions: for those who ask, and for those who answer."""
