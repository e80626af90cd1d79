"""From features to answers: one head a file."""
