"""What is minimised: one file a loss."""
