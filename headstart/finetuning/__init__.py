"""Which weights move, and when: one file a tune."""
