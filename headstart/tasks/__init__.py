"""The task: data and a question about it."""
