"""The pages of claims: the customer's, and those of the staff who decide them."""
