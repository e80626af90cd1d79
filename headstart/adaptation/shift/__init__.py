"""How a source and a target task differ."""
