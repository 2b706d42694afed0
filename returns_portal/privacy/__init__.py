"""What is kept about a person: shown to them on request, and forgotten where the law lets it be."""
