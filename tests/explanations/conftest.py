"""Small fitted models, see support/explained.py."""

from explained import frame, picture, pictures, table, texts

__all__ = ["frame", "picture", "pictures", "table", "texts"]
