import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.encoding import damage, decode
from headstart.errors import DataError

FRENCH = "texte;avis\nTrès bon hôtel, séjour agréable;positif\nÀ l'été, forêt, garçon, Noël;négatif\n"
GERMAN = "Größe über süße Straßen müßte «Überlegen» ÄRGER, schöne Grüße\n"
POLISH = "tekst;ocena\nBardzo dobry hotel, polecam każdemu, świetna obsługa, łąka, mąż\n"
RUSSIAN = "текст,метка\nОчень хорошая гостиница, рекомендую всем,хорошо\nПлохо и грязно,плохо\n"
CHINESE = "text,label\n房间干净漂亮，价格便宜质量好。第1号,pos\n员工很粗鲁，房间又脏又乱。第2号,neg\n"
JAPANESE = "テキスト,ラベル\nとても良いホテルでした。また来たいです,良い\n部屋が汚かった,悪い\n"
KOREAN = "텍스트,라벨\n아주 좋은 호텔이었습니다 추천합니다,좋음\n방이 더러웠어요,나쁨\n"
GREEK = "κείμενο,ετικέτα\nΠολύ καλό ξενοδοχείο,καλό\n"


@pytest.mark.parametrize("text", ["plain", "käse 🧀\r\n", "", "x" * 1_000_000, "Ελληνικά", CHINESE])
def test_utf8_is_plain_and_what_has_a_mark_is_read_by_it(text):
    assert decode(text.encode()) == (text, "utf-8", "")
    for name in ("utf-8-sig", "utf-16", "utf-32"):
        assert decode(text.encode(name))[:2] == (text, name)
    big = b"\xfe\xff" + text.encode("utf-16-be")
    assert decode(big) == (text, "utf-16", "encoding: utf-16 (by its mark)")


@pytest.mark.parametrize("text", [FRENCH, GERMAN, RUSSIAN, CHINESE, JAPANESE, "a,b\n"])
@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark(text, name):
    assert decode(text.encode(name))[:2] == (text, name)


@pytest.mark.parametrize(
    ("text", "written", "name"),
    [
        (FRENCH, "cp1252", "cp1252"),
        (FRENCH, "latin-1", "cp1252"),
        (FRENCH + "c’est — l’œuvre… 5 €\n", "cp1252", "cp1252"),
        (GERMAN, "cp1252", "cp1252"),
        (FRENCH, "mac_roman", "mac_roman"),
        (GERMAN, "mac_roman", "mac_roman"),
        (FRENCH, "cp850", "cp850"),
        (POLISH, "cp1250", "cp1250"),
        ("caf\x81 \x8d\x8f \x90\x9d", "latin-1", "cp1252"),
        ("«É…”» " + "—" * 9, "cp1252", "cp1252"),
    ],
)
def test_western_text_in_one_byte_a_character(text, written, name):
    decoded = decode(text.encode(written))
    assert decoded[:2] == (text, name)
    assert decoded.note.startswith(f"encoding: {name} (bytes that are not UTF-8")


def test_the_note_shows_how_it_was_read():
    note = "encoding: cp1252 (bytes that are not UTF-8, read as 'Très', 'hôtel', 'séjour' and 7 more)"
    assert decode(FRENCH.encode("cp1252")).note == note


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (RUSSIAN, "cp1251", "Read as cp1251 it holds 'гостиница'.*iconv -f cp1251 -t utf-8 OLD > NEW"),
        (RUSSIAN, "koi8-r", "Read as koi8-r it holds 'гостиница'"),
        (CHINESE, "gb18030", "Read as gb18030 it holds '房间干净.*iconv -f gb18030 -t utf-8"),
        (CHINESE.replace("号", "號"), "gb18030", "Read as gb18030 it holds '房间干净"),
        (JAPANESE, "shift_jis", "Read as shift_jis it holds 'とても良いホテルでした。'"),
        (JAPANESE, "euc-jp", "Read as euc-jp it holds 'とても良いホテルでした。'"),
        (KOREAN, "cp949", "Read as cp949 it holds '호텔이었습니다'"),
        (GREEK, "cp1253", "Read as cp1253 it holds 'ξενοδοχείο'"),
    ],
)
def test_other_scripts_are_refused_with_how_they_would_read(text, name, words):
    with pytest.raises(DataError, match=f"not UTF-8, and not in Latin letters.*{words}"):
        decode(text.encode(name))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04rest", "it is a ZIP archive or an Excel workbook"),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"%PDF-1.7", "a PDF"),
        (b"\xff\xfea", "starts as UTF-16 and is not"),
    ],
)
def test_what_is_no_text_is_refused_by_name(data, words):
    with pytest.raises(DataError, match=words):
        decode(data)


def test_a_few_broken_bytes_leave_the_rest_utf8():
    broken = "é".encode() * 3 + b"\xe9\xff"
    decoded = decode(broken)
    assert decoded == ("ééé\udce9\udcff", "utf-8", "")
    assert damage(decoded.text) == "not UTF-8 (byte 0xe9): save the file as UTF-8"
    assert damage("é") == ""
    assert damage("a\0") == "holds a NUL byte: the file is damaged, binary, or UTF-16 without its mark"


words = st.lists(st.text("abcdefghijklmnopqrstuvwxyzäöüéèêàçñßøå", min_size=1), min_size=1).map(" ".join)


@given(words, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]))
def test_words_come_back_from_every_form_of_unicode(text, name):
    assert decode(f"{text}\n".encode(name)).text == f"{text}\n"


ascii_letters = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6)
western_words = st.lists(
    st.tuples(ascii_letters, st.sampled_from("äöüéèêàçñßøå"), ascii_letters).map("".join) | ascii_letters, min_size=1
).map(" ".join)


@given(western_words)
def test_sentences_come_back_from_one_byte_a_character(text):
    sentence = f"{FRENCH}{text}\n"
    assert decode(sentence.encode("cp1252")).text == sentence


@given(st.binary())
def test_any_bytes_are_a_text_or_an_error(data):
    try:
        decoded = decode(data)
    except DataError:
        return
    assert (decoded.note == "") == (decoded.encoding == "utf-8")
    if decoded.encoding == "utf-8":
        assert decoded.text.encode("utf-8", "surrogateescape") == data


def test_a_mark_that_stands_twice_is_left_out_twice():
    assert decode(b"\xef\xbb\xbf\xef\xbb\xbftext,label\n").text == "text,label\n"
