import numpy as np
import pandas as pd
import pytest

from headstart.data.content import content_keys
from headstart.data.quality.check import check
from headstart.data.read import read
from headstart.data.spellings import garbled


def findings(frame):
    task = read(frame)
    report = check(task, keys=content_keys(task.inputs, task.modality))
    return {finding.what: finding for finding in report.findings}


def frame(texts, labels):
    return pd.DataFrame({"text": texts, "label": labels})


TEXTS = [f"text number {row} of the collection says something" for row in range(24)]


def test_labels_in_several_spellings_are_a_warning():
    found = findings(frame(TEXTS, ["Yes", "yes", "no", "yes.", "No", "maybe"] * 4))
    finding = found["labels that differ only in case, width or punctuation"]
    assert (finding.count, finding.severity) == (5, "warning")
    assert finding.examples == ("'No' (4), 'no' (4)", "'Yes' (4), 'yes' (4), 'yes.' (4)")
    assert "kept apart" in finding.action


def test_lists_of_labels_count_too():
    found = findings(frame(TEXTS, [["a", "B"], ["b"], ["a"]] * 8))
    assert found["labels that differ only in case, width or punctuation"].examples == ("'B' (8), 'b' (8)",)


@pytest.mark.parametrize("labels", [["A", "A+", "B"], [1, 2, 3], ["c", "d", "e"]])
def test_other_labels_are_none(labels):
    found = findings(frame(TEXTS, labels * 8))
    assert "labels that differ only in case, width or punctuation" not in found
    assert "garbled texts or labels" not in found


@pytest.mark.parametrize("text", ["hôtel déjà vu", "“schön”, c’est ça", "Привет, мир", "房间干净漂亮", "naïve café…"])
def test_utf8_that_was_read_as_cp1252_is_garbled(text):
    wrong = text.encode().decode("cp1252", "replace")
    assert garbled(wrong)
    assert not garbled(text)
    assert garbled("lost \ufffd here")


@pytest.mark.parametrize(
    "text", ["CAFÉ» or «É”", "Âge d’or, Ãtat", "NÃO É", "5 €", "Größe ½", "Ñandú", "Ð is eth", "plain", "10 Â", "åäö"]
)
def test_whole_text_is_not_garbled(text):
    assert not garbled(text)


def test_garbled_texts_and_labels_are_a_warning():
    texts = [*TEXTS[:22], "l'hÃ´tel Ã©tait fermÃ© hier soir", "a text that lost \ufffd its letters somewhere"]
    finding = findings(frame(texts, ["nÃ©gatif", "positif"] * 12))["garbled texts or labels"]
    assert (finding.count, finding.severity) == (3, "warning")
    assert finding.examples[0].startswith("l'hÃ´tel")
    assert np.isin("nÃ©gatif", finding.examples)
