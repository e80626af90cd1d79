"""A fitted model over HTTP."""
