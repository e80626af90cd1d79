"""What more labels would bring: scores of nested subsamples, a power law through them, and what it says of more."""
