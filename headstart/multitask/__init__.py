"""Several tasks on one backbone: heads that are fitted together, and losses of several tasks that share their weights."""
