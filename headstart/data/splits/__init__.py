"""Who is held out: splits, folds, groups and strata."""
