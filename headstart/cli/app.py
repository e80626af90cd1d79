"""The command line: thin verbs, each of which calls one public function.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 unexpected, 2 wrong arguments,
3 data, 4 backbone, 5 saved model, 6 cache, 7 training, 8 race, 9 cluster, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from inspect import getdoc
from typing import Annotated

import typer

from headstart.cli.backbones import backbones
from headstart.cli.clean import clean
from headstart.cli.compare import compare
from headstart.cli.curve import curve
from headstart.cli.diagnose import check, shift
from headstart.cli.distil import distil
from headstart.cli.drift import drift
from headstart.cli.explain import explain
from headstart.cli.export import export
from headstart.cli.features import features
from headstart.cli.federate import federate
from headstart.cli.few_shot import few_shot
from headstart.cli.fit import fit
from headstart.cli.inspect import cache, methods, show
from headstart.cli.predict import evaluate, predict
from headstart.cli.pretrain import pretrain
from headstart.cli.race import race
from headstart.cli.rank import rank
from headstart.cli.report import report
from headstart.cli.serve import serve
from headstart.cli.streams import complain, prepare, words_of
from headstart.errors import HeadstartError

__all__ = ["VERBS", "main"]

INTERRUPTED = 130

VERBS: dict[str, Callable[..., None]] = {
    "fit": fit,
    "predict": predict,
    "evaluate": evaluate,
    "distil": distil,
    "explain": explain,
    "export": export,
    "check": check,
    "clean": clean,
    "compare": compare,
    "curve": curve,
    "shift": shift,
    "drift": drift,
    "rank": rank,
    "features": features,
    "pretrain": pretrain,
    "federate": federate,
    "few-shot": few_shot,
    "show": show,
    "report": report,
    "serve": serve,
    "race": race,
    "methods": methods,
    "backbones": backbones,
    "cache": cache,
}
WITHOUT_WORDS = ("methods", "backbones", "cache")
"""Verbs that do something where no argument is given; of the others that prints their help."""


def _app(requested: str | None) -> typer.Typer:
    """The command line, of which only the verb that is asked for has its options: to make those of all is some tenth
    of what help takes."""
    made = typer.Typer(
        name="headstart",
        help="Reuse a pretrained model on little labelled data, and learn from held-out data whether reuse helped.",
        epilog="Example:  headstart fit photos/ --out flowers   (one sub-folder of photos/ a class)",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_of_all_verbs)
    for name, verb in VERBS.items():
        no_words = name in WITHOUT_WORDS
        made.command(name, help=getdoc(verb), no_args_is_help=not no_words)(verb if name == requested else _listed)
    return made


def _of_all_verbs(
    trust_code: Annotated[
        bool, typer.Option("--trust-code", help="Run the Python code of a checkout that torchhub:CHECKOUT:ENTRY names")
    ] = False,
) -> None:
    """What stands before the verb."""
    if trust_code:
        from headstart.backbones import torchhub

        torchhub.trust_code()


def _listed() -> None:
    """In the place of a verb that help names and that is not asked for."""


def main() -> None:
    """Run the command line; every error becomes one message in words and an exit code."""
    prepare()
    try:
        code = _app(next((word for word in sys.argv[1:] if word in VERBS), None))(standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except HeadstartError as error:
        _fail(str(error), error.exit_code)
    except Exception as error:
        if os.environ.get("HEADSTART_DEBUG"):
            raise
        show_usage = getattr(error, "format_message", None)
        if show_usage is not None:
            _fail(f"{show_usage()}\nTry: headstart --help", 2)
        if isinstance(error, OSError) and error.filename:
            _fail(words_of(error), 1)
        if isinstance(error, ValueError | TypeError | ImportError):
            _fail(str(error), 2)
        _fail(f"{type(error).__name__}: {error}\nSet HEADSTART_DEBUG=1 to see where.", 1)
    if code == INTERRUPTED:
        _fail("interrupted; finished features are kept, and the same command continues from them", INTERRUPTED)
    sys.exit(code)


def _fail(message: str, code: int) -> None:
    complain(f"headstart: {message}")
    sys.exit(code)
