"""The command line: thin verbs, each of which calls one public function.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 unexpected, 2 wrong arguments,
3 data, 4 backbone, 5 saved model, 6 cache, 7 training, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import typer

from headstart.cli.diagnose import check, shift
from headstart.cli.distil import distil
from headstart.cli.features import features
from headstart.cli.few_shot import few_shot
from headstart.cli.fit import fit
from headstart.cli.inspect import cache, methods, show
from headstart.cli.predict import evaluate, predict
from headstart.cli.pretrain import pretrain
from headstart.cli.streams import complain, prepare, words_of
from headstart.errors import HeadstartError

__all__ = ["app", "main"]

INTERRUPTED = 130

app = typer.Typer(
    name="headstart",
    help="Reuse a pretrained model on little labelled data, and learn from held-out data whether reuse helped.",
    epilog="Example:  headstart fit photos/ --out flowers   (one sub-folder of photos/ a class)",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

WITH_WORDS: tuple[Callable[..., None], ...] = (
    fit,
    predict,
    evaluate,
    distil,
    check,
    shift,
    features,
    pretrain,
    few_shot,
    show,
)
ALONE: tuple[Callable[..., None], ...] = (methods, cache)
for verb in WITH_WORDS:
    app.command(no_args_is_help=True)(verb)
for verb in ALONE:
    app.command()(verb)


def main() -> None:
    """Run the command line; every error becomes one message in words and an exit code."""
    prepare()
    try:
        code = app(standalone_mode=False)
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
