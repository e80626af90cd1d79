"""Objectives of pretraining: one paper a file."""
