"""What is not in stock: who asked for it, which other shop has it, and whom to tell when it is back."""
