"""One forward pass of a frozen backbone: features of pictures and texts."""
