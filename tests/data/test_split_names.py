import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.split_names import SPLITS, is_unlabelled, split_of


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"), ("Training_Set", "train"), ("seg_train", "train"), ("train2017", "train"),
        ("train_images", "train"), ("X_train", "train"), ("trainval", "train"), ("images-train", "train"),
        ("valid", "val"), (" validation ", "val"), ("dev", "val"), ("val_data", "val"),
        ("TEST", "test"), ("test1", "test"), ("eval", "test"), ("hold-out", "test"), ("Held out", "test"),
        ("cat", None), ("train station", None), ("testimony", None), ("contest", None), ("2017", None), ("", None),
        ("data", None), ("unsupervised", None), (None, None), (3, None),
    ],
)  # fmt: skip
def test_one_list_of_names(name, split):
    assert split_of(name) == split


@pytest.mark.parametrize("name", ["unlabeled", "Unlabelled_Data", "unsup", "unsupervised", "no labels", "seg_pred"])
def test_names_that_say_that_there_are_no_labels(name):
    assert is_unlabelled(name)
    assert split_of(name) is None


@given(
    st.sampled_from(sorted(SPLITS)),
    st.sampled_from(["", "seg_", "my-", "X_"]),
    st.sampled_from(["", "_set", " Data", "-images", "2017", "_1"]),
    st.sampled_from([str.lower, str.upper, str.title]),
)
def test_what_stands_around_a_name_counts_only_where_it_says_something(word, before, after, case):
    name = case(before + word + after)
    assert split_of(name) == (None if before == "my-" else SPLITS[word])
