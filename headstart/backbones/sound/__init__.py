"""Backbones of sounds: from waves, through a front end of their own, to features."""
