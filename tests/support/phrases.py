"""Words of three kinds in a few phrases: texts that a small backbone tells apart."""

import pandas as pd

NAMES = {
    "animal": "dog cat horse cow sheep goat lion tiger bear wolf fox rabbit mouse monkey duck hen eagle owl frog snake",
    "food": "ham cheese apple soup rice cake butter egg honey salad pasta onion lemon grape pear tea milk nut pie jam",
    "tool": "hammer saw drill axe screw wrench knife spade rake ladder rope nail brush chisel file pump lever bolt awl",
}  # fmt: skip


def words(frames=("a {}", "the old {}", "my {} is here", "look at this {}", "two of the {}")) -> pd.DataFrame:
    """Of 60 words in a few phrases each; rows of one word are a group."""
    rows = [(f.format(word), label, word) for label, names in NAMES.items() for word in names.split() for f in frames]
    return pd.DataFrame(rows, columns=["text", "label", "group"])
