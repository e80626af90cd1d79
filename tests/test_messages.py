from headstart.messages import by_name, did_you_mean, few, label_of, shown


def test_few_names_and_how_many_more():
    assert few(["a", 1]) == "'a', 1"
    assert few("abcd", 2) == "'a', 'b' and 2 more"


def test_the_nearest_name_is_offered():
    assert did_you_mean("petal lenght", ["sepal", "Petal Length"]) == " Did you mean 'Petal Length'?"
    assert did_you_mean("xyz", ["sepal"]) == ""


def test_names_go_by_the_order_of_the_wish():
    assert by_name(["Y", " Label "], ["target", "label", "y"]) == " Label "
    assert by_name(["a", "b"], ["target"]) is None


def test_names_can_be_printed():
    shown("b\udce9").encode()
    assert label_of("cafe\u0301") == "café"
