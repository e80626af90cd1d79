"""The table of methods, and from a row of it to a fitted model."""
