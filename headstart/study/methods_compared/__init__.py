"""Methods of every kind beside each other on the same rows (`headstart.compare`)."""
