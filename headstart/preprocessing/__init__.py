"""From raw pictures, texts and columns to what a backbone takes in."""
