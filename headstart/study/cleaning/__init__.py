"""What a model sees wrong with labelled data: suggestions for a person, and a cleaned copy."""
