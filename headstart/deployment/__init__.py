"""A fitted model outside of headstart: exported to other formats, and served over HTTP."""
