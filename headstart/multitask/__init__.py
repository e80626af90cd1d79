"""Several tasks on one backbone: heads that are fitted together, and losses of tasks that share their weights."""
