"""From a source task to a target task: steps on features, weights of rows, choosing among ways, how they differ."""
