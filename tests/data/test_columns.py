import pandas as pd
import pytest

from headstart.data.columns import Roles, assign
from headstart.data.tables import of_frame, read_table
from headstart.errors import DataError
from headstart.tasks.task import Columns

SENTENCES = [f"a sentence of quite some words, {i}" for i in range(6)]
PICTURES = [f"cats/{i}.png" for i in range(6)]


def found(roles=None, columns=None, *, need_target=True, **values):
    return assign(of_frame(pd.DataFrame(values)), roles or Roles(), columns, need_target=need_target)


def test_amazon(amazon):
    assigned = assign(read_table(str(amazon)), Roles(group="review"))
    assert assigned.columns == Columns(("text",), "label", "split", "review")
    assert assigned.modality == "text"
    assert assigned.notes == [
        "group column: 'review' (as asked)",
        "split column: 'split' (by its name)",
        "target column: 'label' (by its name)",
        "input: text from 'text' (strings of 17 words)",
    ]


def test_penguins(penguins):
    assigned = assign(read_table(str(penguins)), Roles(target="species"))
    assert assigned.modality == "table"
    assert assigned.columns.target == "species"
    assert len(assigned.columns.input) == 7
    assert "input: a table of 7 columns: 'island', 'bill_length_mm'" in assigned.notes[-1]


def test_auto_mpg_by_its_domain(auto_mpg):
    assigned = assign(read_table(str(auto_mpg)), Roles(target="mpg", domain="origin"))
    assert assigned.columns.input == ("cyl", "displ", "hp", "weight", "accel", "yr", "name")
    assert assigned.columns.domain == "origin"


@pytest.mark.parametrize("name", ["target", "Label", " class ", "category", "Y", "outcome"])
def test_the_target_by_its_name(name):
    assigned = found(**{name: [0, 1] * 3, "text": SENTENCES, "last": [1] * 6})
    assert assigned.columns.target == name
    assert f"target column: {name!r} (by its name)" in assigned.notes


def test_names_have_an_order():
    assert found(y=[1, 2], label=["a", "b"], target=["c", "d"], x=[1, 2]).columns.target == "target"


def test_else_the_last_column_that_is_not_the_input_nor_an_identifier():
    assigned = found(rating=[1, 2] * 3, text=SENTENCES, row_id=range(6))
    assert assigned.columns == Columns(("text",), "rating")
    assert "target column: 'rating' (the last column)" in assigned.notes
    assert "left out: 'row_id' (all different: it only tells rows apart)" in assigned.notes
    assert found(a=[1, 2], b=[3, 4], c=[5, 6]).columns == Columns(("a", "b"), "c")


def test_group_and_domain_by_name():
    assigned = found(Patient_ID=[1, 1, 2], domain=["a", "b", "a"], x=[1, 2, 3], label=[0, 1, 0])
    assert assigned.columns == Columns(("x",), "label", None, "Patient_ID", "domain")
    assert "group column: 'Patient_ID' (by its name)" in assigned.notes


def test_a_split_must_read_as_one():
    assert found(fold=["Train", "valid", None], x=[1, 2, 3], label=[0, 1, 0]).columns.split == "fold"
    assigned = found(fold=[0, 1, 2], x=[1, 2, 3], label=[0, 1, 0])
    assert assigned.columns == Columns(("x",), "label")
    assert "left out: 'fold' (called as a split is, but its values are not train, val and test)" in assigned.notes
    with pytest.raises(DataError, match="the split column 'when' holds '2024', 'x': expected train, val and test only"):
        found(Roles(split="when"), when=["x", "2024", "test"], x=[1, 2, 3], label=[0, 1, 0])


def test_lists_may_be_the_target():
    assert found(text=SENTENCES, tags=[["a"]] * 6).columns.target == "tags"


def test_without_a_target():
    assigned = found(need_target=False, a=[1, 2], b=[3, 4])
    assert assigned.columns == Columns(("a", "b"))
    assert found(need_target=False, a=[1, 2], label=[3, 4]).columns == Columns(("a",))


def test_roles_that_are_given_hold():
    roles = Roles(input=("a", "b"), target="c", group="d", domain="d")
    assigned = found(roles, a=[1, 2], b=[3, 4], c=[5, 6], d=[7, 8], label=[9, 9])
    assert assigned.columns == Columns(("a", "b"), "c", None, "d", "d")
    assert "input: table from 'a', 'b' (as asked)" in assigned.notes
    assert Roles(input="a").inputs == ("a",)


@pytest.mark.parametrize("role", ["input", "target", "split", "group", "domain"])
def test_a_name_that_is_missing(role):
    words = f"no column 'wieght', named as the {role}: the columns are 'weight', 'mpg'. Did you mean 'weight'?"
    with pytest.raises(DataError) as error:
        found(Roles(**{role: "wieght"}), weight=[1, 2], mpg=[3, 4])
    assert str(error.value) == words


def test_roles_that_exclude_each_other():
    with pytest.raises(DataError, match="column 'a' cannot be the target and an input, or the split, at once"):
        found(Roles(input=("a", "b"), target="a"), a=[1, 2], b=[3, 4])
    with pytest.raises(DataError, match="column 's' cannot be the target and an input, or the split, at once"):
        found(Roles(split="s", target="s"), s=["train", "test"], b=[3, 4])


def test_an_input_that_cannot_be_read():
    with pytest.raises(DataError, match=r"column 'box' cannot be an input \(each value a list"):
        found(Roles(input=("box", "n")), box=[[1], [2]], n=[1, 2], label=[0, 1])


@pytest.mark.parametrize("name", ["when", "target"])
def test_dates_are_never_the_target(name):
    dates = {name: ["2024-01-31", "2024-02-01", "2024-02-02"], "x": [1, 2, 3]}
    with pytest.raises(
        DataError, match=f"column '{name}' holds dates, which cannot be the target: derive what is asked"
    ):
        found(Roles(target=name), **dates)
    assigned = found(age=[1, 2, 3], survived=["y", "n", "y"], when=dates[name])
    assert assigned.columns == Columns(("age", "when"), "survived")


def test_nothing_left():
    with pytest.raises(
        DataError, match=r"no column is left to be the target: the columns are 'text'\. Name one as target"
    ):
        found(text=SENTENCES)
    with pytest.raises(DataError, match="no column is left to be the input: name one of 'label'"):
        found(label=[1, 2])


FIT = Columns(("length", "width"), "species", "split", "group_id", None)


def test_a_fitted_model_finds_its_columns_in_any_order():
    assigned = found(columns=FIT, need_target=False, extra=[1], width=[1], length=["wide"], species=["x"])
    assert assigned.columns == Columns(("length", "width"))
    assert assigned.notes == ["columns that the model does not read, ignored: 'extra'"]


def test_a_fitted_model_misses_a_column():
    with pytest.raises(DataError) as error:
        found(columns=FIT, need_target=False, Lenght=[1], width=[1])
    assert str(error.value) == (
        "no column 'length', which the model reads: the columns are 'Lenght', 'width'. Did you mean 'Lenght'?"
    )
    with pytest.raises(DataError, match="no column 'species', which the model predicts: the columns are"):
        found(columns=FIT, length=[1], width=[1])


def test_a_fitted_model_is_evaluated_with_its_target_and_group():
    values = {"length": [1], "width": [1], "species": ["x"], "group_id": [1], "kind": ["y"]}
    assert found(columns=FIT, **values).columns == Columns(("length", "width"), "species", None, "group_id")
    assert found(Roles(target="kind"), FIT, **values).columns.target == "kind"


def test_a_single_row_reads_as_at_fit():
    columns = Columns(("title", "body"), "label")
    row = {"title": ["Hi"], "body": ["ok"]}
    assert found(Roles(modality="text"), columns, need_target=False, **row).modality == "text"


def test_a_model_fitted_on_a_folder_reads_a_table_by_the_rule():
    assert found(columns=Columns(), need_target=False, file=PICTURES).columns == Columns(("file",))
