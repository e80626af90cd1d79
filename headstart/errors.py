"""Everything headstart raises on purpose, drawn as a tree.

    HeadstartError
    ├── DataError          the data cannot be used as asked            exit code 3
    │   └── MissingColumn  a table lacks a column that was named
    ├── BackboneError      the backbone cannot be found or loaded      exit code 4
    │   └── MissingWeights its weights are not on this machine
    ├── ArtefactError      a saved model is missing, damaged, foreign  exit code 5
    ├── CacheError         the feature cache cannot be used            exit code 6
    ├── TrainingError      the weights ran away                        exit code 7
    ├── RaceError          a race cannot go on, or nothing could be raced    exit code 8
    └── ClusterError       processes of a cluster cannot be started, reached or used    exit code 9

Wrong arguments stay `ValueError` and `TypeError`. Each message says what was wrong (with the value), what was
expected, and what to do instead.
"""

__all__ = [
    "ArtefactError",
    "BackboneError",
    "CacheError",
    "ClusterError",
    "DataError",
    "HeadstartError",
    "MissingColumn",
    "MissingWeights",
    "RaceError",
    "TrainingError",
]


class HeadstartError(Exception):
    """The root: catch this to catch every error that headstart raises on purpose."""

    exit_code = 1


class DataError(HeadstartError, ValueError):
    """The data cannot be read, or cannot be used as asked. Also a `ValueError`, as scikit-learn expects."""

    exit_code = 3


class MissingColumn(DataError):
    """A table lacks a column that was named. `role`: input, target, split, group or domain."""

    def __init__(self, message: str, role: str) -> None:
        super().__init__(message)
        self.role = role


class BackboneError(HeadstartError):
    """The backbone's name is unknown, or its files cannot be used."""

    exit_code = 4


class MissingWeights(BackboneError):
    """The weights are not on this machine: says what is missing, where it looked, and what fetches it."""


class ArtefactError(HeadstartError):
    """A saved model is missing, damaged, or not one of ours."""

    exit_code = 5


class CacheError(HeadstartError):
    """The feature cache cannot be read or written."""

    exit_code = 6


class TrainingError(HeadstartError):
    """Training cannot go on: the loss is not finite and there are no better weights to go back to."""

    exit_code = 7


class RaceError(HeadstartError):
    """A race cannot begin, such as beside another on the same folder, or not one of its trials could be done."""

    exit_code = 8


class ClusterError(HeadstartError):
    """A cluster does not answer, has other versions, does not see the data, or lost a process again and again."""

    exit_code = 9
