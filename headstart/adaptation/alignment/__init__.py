"""Steps on the features of a source and a target task: moved features, weights of rows, or a head of their own."""
