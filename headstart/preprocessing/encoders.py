"""What makes features of inputs without a network: learnt from the training rows, and stored with the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from headstart.errors import ArtefactError
from headstart.preprocessing import description_encoder, sound_encoder, table_encoder, term_encoder
from headstart.preprocessing.description_encoder import DescriptionEncoder
from headstart.preprocessing.sound_encoder import SoundEncoder
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.preprocessing.term_encoder import TermEncoder
from headstart.tasks import AUDIO, IMAGE, TABLE, TEXT
from headstart.tasks.modality import Modality
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["ENCODERS", "Encoder", "EncoderKind", "encoder_from", "kind_of"]


class Encoder(Protocol):
    """It, once it has learnt."""

    @property
    def width(self) -> int:
        """D, how many features a row has."""

    def transform(self, inputs: Any, /) -> Array | sparse.csr_array:
        """(N, D) features of inputs: a table, texts, thumbnails of pictures or sketches of recordings."""

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """(JSON, arrays): all that another of the same kind is made from."""


class EncoderKind(NamedTuple):
    """modality     of whose inputs it makes features
    from_state   the encoder that gave a state; `ArtefactError` where it is none
    """

    modality: Modality
    from_state: Callable[[dict[str, Any], dict[str, Array]], Encoder]


ENCODERS: dict[str, EncoderKind] = {
    table_encoder.KIND: EncoderKind(TABLE, TableEncoder.from_state),
    term_encoder.KIND: EncoderKind(TEXT, TermEncoder.from_state),
    description_encoder.KIND: EncoderKind(IMAGE, DescriptionEncoder.from_state),
    sound_encoder.KIND: EncoderKind(AUDIO, SoundEncoder.from_state),
}
"""By the name that a stored encoder bears."""


def kind_of(config: Mapping[str, Any]) -> EncoderKind:
    """Of the JSON of an encoder; that of a table bears no name. `ArtefactError` for one that is not known."""
    name = config.get("kind", table_encoder.KIND)
    if not isinstance(name, str) or name not in ENCODERS:
        raise ArtefactError(f"config.json: an encoder of the kind {name!r:.40}, expected {', '.join(ENCODERS)}")
    return ENCODERS[name]


def encoder_from(config: dict[str, Any], arrays: dict[str, Array]) -> Encoder:
    """The encoder that gave this state. `ArtefactError` where it is none."""
    return kind_of(config).from_state(config, arrays)
