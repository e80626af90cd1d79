"""A fitted model as a file or a folder that other libraries read."""
