"""Whether what a model is asked is still like what it learnt from."""
