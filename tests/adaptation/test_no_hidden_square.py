"""No step takes memory by the square of the rows without saying so: each of the package, on 30,000 + 30,000 rows."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import is_regressor

from headstart.adaptation import alignment, estimators, reweighting
from headstart.adaptation.alignment.jdot import JDOT
from headstart.adaptation.alignment.step import Domains
from headstart.adaptation.alignment.tca import TCA
from headstart.adaptation.alignment.transductive import Transductive
from headstart.adaptation.alignment.transport import Transport
from headstart.adaptation.estimators.adapted import Adapted
from headstart.adaptation.estimators.manifold import LaplacianRegularisedClassifier, LaplacianRegularisedRegressor
from headstart.adaptation.estimators.two_stage_tradaboost import TwoStageTrAdaBoostR2
from headstart.adaptation.reweighting.kliep import KLIEP
from headstart.adaptation.reweighting.kmm import KMM
from headstart.adaptation.reweighting.rulsif import ULSIF, RuLSIF
from headstart.adaptation.scorers.criteria import Said, choose
from headstart.adaptation.scorers.neighbourhood_density import neighbourhood_density
from headstart.adaptation.shift.support import support
from headstart.adaptation.shift.two_sample import classifier_test, mmd

ROWS, KNOWN, LIMIT = 30_000, 50, 2e9
STATM = Path("/proc/self/statm")
REFUSED = r"would take [\d,.]+ GB, above the limit of 2 GB: .*(most|batch|landmarks)="
REFUSING = {KMM, Transport, JDOT, Transductive, LaplacianRegularisedClassifier, LaplacianRegularisedRegressor}
SLOW = {TwoStageTrAdaBoostR2, TCA, KLIEP}

importlib.import_module("ot")  # before the bound: what POT imports takes address space of its own

pytestmark = pytest.mark.skipif(not STATM.is_file(), reason="the address space of a process is read from /proc")


@contextmanager
def bounded() -> Iterator[None]:
    """MemoryError for what would take the process LIMIT bytes further, whoever asks for them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now = int(STATM.read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (int(now + LIMIT), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def tasks(classes: int = 2) -> Domains:
    """Two columns; the first 50 target rows are labelled."""
    draw = np.random.default_rng(0)
    source, target = draw.normal(size=(ROWS, 2)), draw.normal(size=(ROWS, 2)) + 0.5
    if not classes:
        known = np.append(target[:KNOWN, 0], np.full(ROWS - KNOWN, np.nan))
        return Domains(source, source[:, 0] + 1, target, known)
    known = np.append(target[:KNOWN, 0] > 0, np.full(ROWS - KNOWN, -1))
    return Domains(source, (source[:, 0] > 0).astype(int), target, known, 2)


def every() -> Iterator[tuple[str, Any]]:
    """All steps and all estimators over two tasks."""
    folders = {room.__name__: room.__path__ for room in (alignment, estimators, reweighting)}
    for found in (module for name, path in folders.items() for module in pkgutil.iter_modules(path, f"{name}.")):
        module = importlib.import_module(found.name)
        for name in getattr(module, "__all__", ()):
            kind = getattr(module, name)
            if not inspect.isclass(kind) or kind.__module__ != module.__name__ or kind is Adapted:
                continue
            step = is_dataclass(kind) and "domains" in inspect.signature(kind.__call__).parameters
            fits = hasattr(kind, "fit") and "sample_domain" in inspect.signature(kind.fit).parameters
            if step or fits:
                yield name, kind


def done(one: Any) -> None:
    """The step, or the fit."""
    domains = tasks(0 if not is_dataclass(one) and is_regressor(one) else 2)
    if is_dataclass(one):
        one(domains)  # type: ignore[operator]
        return
    y = np.concatenate([domains.targets, domains.known])
    one.fit(np.concatenate([domains.source, domains.target]), y, sample_domain=np.repeat([1, -1], ROWS))


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, id=name, marks=[pytest.mark.slow] * (kind in SLOW)) for name, kind in every()]
)
def test_under_2_gb_or_refused_naming_the_form_that_takes_less(kind: Any) -> None:
    refused = kind in REFUSING
    with bounded():
        if refused:
            with pytest.raises(ValueError, match=REFUSED):
                done(kind())
        else:
            done(kind())


@pytest.mark.parametrize(
    "one",
    [
        TCA(most=200),
        KLIEP(gamma=1.0, centres=10),
        KMM(most=500),
        Transport(batch=300, rounds=1, plan="emd"),
        JDOT(batch=300, rounds=2),
        LaplacianRegularisedClassifier(most=100),
        LaplacianRegularisedClassifier("linear"),
        LaplacianRegularisedRegressor(most=100),
    ],
    ids=repr,
)
def test_the_form_that_takes_less_works(one: Any) -> None:
    with bounded():
        done(one)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (TCA(most=10_000), r"a kernel on 10000 rows would take 5\.3 GB, .*set most= lower \(Nystroem\)"),
        (RuLSIF(centres=10_000), r"between 60000 rows and 10000 centres would take 16\.0 GB, .*centres="),
        (ULSIF(centres=10_000), r"between 60000 rows and 10000 centres would take 16\.0 GB, .*centres="),
        (KLIEP(centres=10_000), r"between 60000 rows and 10000 centres would take 16\.8 GB, .*centres="),
        (KMM(most=20_000), r"kernels of 30000 source rows would take 26\.6 GB, .*most=500"),
        (Transport(batch=20_000), r"a plan between 30000 and 30000 rows would take 38\.4 GB, .*batch=1000"),
        (JDOT(batch=20_000), r"a plan between 30000 and 30000 rows would take 22\.5 GB, .*batch=1000"),
        (LaplacianRegularisedClassifier(most=20_000), r"on 60000 rows would take 28\.8 GB, .*set most= lower"),
    ],
    ids=lambda one: "" if isinstance(one, str) else type(one).__name__,
)
def test_a_form_that_is_made_too_large_is_refused_as_well(one: Any, words: str) -> None:
    with bounded(), pytest.raises(ValueError, match=words):
        done(one)


P = np.random.default_rng(0).dirichlet([1.0, 1.0], ROWS)


@pytest.mark.parametrize(
    "asked",
    [
        lambda two: mmd(two.source, two.target, draws=20),
        lambda two: classifier_test(two.source, two.target, kind="logistic", draws=20),
        lambda two: support(two.source, two.target),
        lambda two: choose("snd", {"one": Said(two.source, two.targets, two.target, P)}),
    ],
    ids=["mmd", "classifier test", "support", "snd"],
)
def test_the_evidence_takes_a_sample(asked: Callable[[Domains], object]) -> None:
    with bounded():
        asked(tasks())


def test_a_sample_that_is_too_large_is_refused() -> None:
    two = tasks()
    with bounded():
        with pytest.raises(ValueError, match=r"the kernel of 40,000 rows would take 32\.5 GB, .*set most= lower"):
            mmd(two.source, two.target, most=20_000)
        with pytest.raises(ValueError, match=r"30,000 rows would come to 7\.2 GB, .*use most=15811 or fewer"):
            neighbourhood_density(P)


def test_the_bound_bounds() -> None:
    with bounded(), pytest.raises(MemoryError):
        np.ones((ROWS, ROWS))
