"""What is wrong with the data: duplicates, leaks, gaps, classes that lack rows."""
