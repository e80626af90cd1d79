"""Networks of Keras (Chollet et al., 2015) as networks of torch: read from its files, without running it."""
