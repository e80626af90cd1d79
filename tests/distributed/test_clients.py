"""clients.toml: what is read, and what is refused in words."""

from __future__ import annotations

import pytest

from headstart.distributed.clients import Rounds, read_federation, rounds_of
from headstart.errors import DataError

TWO = '[[client]]\nname = "a"\ndata = "a.csv"\n[[client]]\nname = "b"\ndata = "sub/b.csv"\n'


def written(folder, text):
    file = folder / "clients.toml"
    file.write_text(text, "utf-8")
    return file


def test_paths_are_relative_to_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    head = 'target = "y"\nsecure = true\n[privacy]\nepsilon = 3\ndelta = 1e-5\nclip = 2\n'
    federation = read_federation(written(tmp_path, head + TWO))
    assert federation.place(federation.clients[1]) == tmp_path / "sub" / "b.csv"
    assert federation.privacy.epsilon == 3.0
    assert (federation.secure, federation.head, federation.backbone) == (True, "auto", None)
    assert (federation.rounds, federation.personal(federation.clients[0])) == (None, None)


def test_rounds_and_where_a_client_writes_its_own_model(tmp_path):
    head = '[rounds]\nstrategy = "fedprox"\nmu = 1\nrounds = 3\n'
    federation = read_federation(written(tmp_path, head + TWO + 'personal = "sub/own"\n'))
    assert federation.rounds == Rounds(strategy="fedprox", mu=1.0, rounds=3)
    assert federation.personal(federation.clients[1]) == tmp_path / "sub" / "own"


def test_rounds_are_of_fedavg_unless_another_strategy_is_named(tmp_path):
    made = read_federation(written(tmp_path, "[rounds]\nrounds = 3\n" + TWO)).rounds
    assert made == Rounds(strategy="fedavg", rounds=3)


def test_rounds_on_weights_have_settings_of_their_own(tmp_path):
    head = '[rounds]\nstrategy = "fedavg"\ntrain = "lora"\nepochs = 1\n'
    made = read_federation(written(tmp_path, head + TWO)).rounds
    assert made == rounds_of(strategy="fedavg", train="lora", epochs=1)
    assert (made.rounds, made.epochs, made.lr, made.batch) == (5, 1, 1e-4, 16)
    assert rounds_of(strategy="fedavg") == Rounds(strategy="fedavg")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "2 clients or more, got 0"),
        (TWO.split('[[client]]\nname = "b"')[0], "2 clients or more, got 1"),
        ('traget = "y"\n' + TWO, r"unknown key 'traget'. Did you mean 'target'\?"),
        ("[privcy]\nepsilon = 1\n" + TWO, r"unknown key 'privcy'. Did you mean 'privacy'\?"),
        (TWO + 'dta = "c"\n', r"\[\[client\]\] number 2: unknown key 'dta'. Did you mean 'data'\?"),
        (TWO.replace('data = "a.csv"\n', ""), r"\[\[client\]\] number 1: 'data' is missing"),
        (TWO.replace('"b"', '"a"'), "two clients bear the name 'a'"),
        (TWO.replace('"b"', '" "'), "must be printable and not empty"),
        ('secure = "yes"\n' + TWO, "secure = 'yes': expected true or false"),
        ("seed = 1.5\n" + TWO, "seed = 1.5: expected a whole number"),
        ("folds = true\n" + TWO, "folds = True: expected a whole number"),
        ("folds = 2\n" + TWO, "folds = 2: expected 3 to 20"),
        ("timeout = 0\n" + TWO, "expected seconds above 0"),
        ('head = "ride"\n' + TWO, r"expected one of auto, ridge, lda, prototypes. Did you mean 'ridge'\?"),
        ('client = "a"\n', r"write \[\[client\]\], then name and data"),
        ("privacy = 3\n" + TWO, r"\[privacy\] must be a table of keys"),
        ("[privacy]\nepsilon = 1\nclip = 1\n" + TWO, r"\[privacy\]: 'delta' is missing"),
        ("[privacy]\nepsilon = 0\ndelta = 1e-5\nclip = 1\n" + TWO, "epsilon = 0.0: expected a number above 0"),
        ("[privacy]\nepsilon = 1\ndelta = 2\nclip = 1\n" + TWO, "between 0 and 1"),
        ("rounds = 3\n" + TWO, r"\[rounds\] must be a table of keys"),
        ('[rounds]\nstrategy = "fedavgm"\n' + TWO, r"fedadam, fedbn. Did you mean 'fedavg'\?"),
        ('[rounds]\nstrategy = "fedavg"\nepoch = 3\n' + TWO, r"unknown key 'epoch'. Did you mean 'epochs'\?"),
        ('[rounds]\nstrategy = "fedavg"\nrounds = 0\n' + TWO, "rounds = 0: expected 1 or more"),
        ('[rounds]\nstrategy = "fedavg"\nbatch = -1\n' + TWO, "batch = -1: expected 0 or more"),
        ('[rounds]\nstrategy = "fedavg"\nlr = nan\n' + TWO, "lr = nan: expected a number above 0"),
        ('[rounds]\nstrategy = "fedprox"\nmu = -1\n' + TWO, "mu = -1.0: expected a number from 0 up"),
        ('[rounds]\nstrategy = "fedavg"\ntrain = "loar"\n' + TWO, r"head, lora, top. Did you mean 'lora'\?"),
        ('[rounds]\nstrategy = "fedavg"\nstages = 1\n' + TWO, "stages = 1 is of train = 'lora' and 'top'"),
        ('[rounds]\nstrategy = "fedbn"\ntrain = "lora"\n' + TWO, "train = 'lora' trains none: use train = 'top'"),
        ('head = "lda"\n[rounds]\nstrategy = "fedavg"\n' + TWO, "head = 'lda' is fitted in one exact round"),
        (
            '[rounds]\nstrategy = "fedavg"\n[privacy]\nepsilon = 1\ndelta = 1e-5\nclip = 1\n' + TWO,
            r"\[privacy\] is of the sums of one exact round",
        ),
        ("= 3", "cannot be read as TOML"),
    ],
)
def test_what_nobody_understands_is_refused(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        read_federation(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"there is no such file; a federation is described by a clients\.toml"):
        read_federation(tmp_path / "clients.toml")
