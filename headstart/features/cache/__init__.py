"""What was computed once, looked up by content."""
