"""The honest protocol: read, check, split, fit, test once, and say whether transfer helped."""
