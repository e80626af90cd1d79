"""Linear algebra: moments, kernels, quadratic programmes, block by block."""
