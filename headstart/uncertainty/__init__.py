"""How far answers can be relied on: sets and intervals of a stated coverage, answers withheld, and strange inputs."""
