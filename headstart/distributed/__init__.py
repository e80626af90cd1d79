"""One fit on many machines (Ray), and of many owners whose rows stay where they are (Flower)."""
