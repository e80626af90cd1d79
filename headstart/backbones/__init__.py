"""Pretrained models: from "hub:name" to a backbone."""
