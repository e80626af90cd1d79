"""A network for small tables that has learnt to learn from synthetic ones: rows are its context."""
