"""Claims of customers for what came damaged, faulty or wrong, or did not come."""
