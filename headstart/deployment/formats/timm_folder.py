"""A model as a folder in the hub's format of timm (Wightman, 2019), for `timm.create_model`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from headstart.artefact import Model
from headstart.backbones.randomness import seeded
from headstart.deployment.formats.class_names import class_names
from headstart.deployment.formats.comparison import compared_with, expected_of
from headstart.deployment.formats.formats import Exported, Options
from headstart.deployment.formats.linear_head import Affine, linear_head_of
from headstart.deployment.formats.model_card import write_card
from headstart.deployment.formats.notes import notes_of
from headstart.deployment.formats.parity import TOLERANCE, largest_difference
from headstart.deployment.formats.staged_folder import files_in, new_folder
from headstart.features.picture_input import Source
from headstart.preprocessing.spec import PicturePreprocess
from headstart.tasks.task import Array
from headstart.transfer import Transfer

__all__ = ["logits_of_folder", "write_timm"]

_NAME = "a timm folder"
_BATCH = 16
_LOADS = """```python
import timm
from PIL import Image

network = timm.create_model("local-dir:{name}", pretrained=True).eval()
transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network))
logits = network(transform(Image.open("a.jpg").convert("RGB"))[None])
names = network.pretrained_cfg["label_names"]
```"""


def write_timm(fitted: Transfer, path: Path, options: Options) -> Exported:
    """Write the folder, load it anew with timm, compare, and only then put it in place.

    Raises ValueError where timm's network cannot hold this model, which names another format; ArtefactError where
    what was written answers otherwise.
    """
    model = fitted.model_
    head = linear_head_of(model, _NAME)
    backbone = model.backbone
    if backbone is None or backbone.spec.get("hub") != "timm" or not isinstance(backbone.preprocess, PicturePreprocess):
        name = "no backbone" if backbone is None else f"the backbone {backbone.name}"
        raise ValueError(
            f"{_NAME} holds a network of timm, and this model has {name}: fit on one with --backbone timm:NAME, or "
            "export it to ONNX (--onnx)"
        )
    network = _network(model, head)
    with new_folder(path, "timm", overwrite=options.overwrite) as stage:
        _save(network, model, backbone.preprocess, stage)
        write_card(model, stage, path.name, _LOADS.format(name=path.name))
        expected = expected_of(fitted, options)
        answers, own = logits_of_folder(stage, expected.task.inputs, backbone.preprocess)
        parity = compared_with(fitted, expected, model.kind.probabilities(answers, 1.0))
    notes = (*notes_of(model), *_of_pillow(model, expected.predictions, model.kind.probabilities(own, 1.0)))
    return Exported("timm", path, tuple(files_in(path)), parity, notes)


def _network(model: Model, head: Affine) -> Any:
    """timm's own network with a classifier, which holds the backbone's weights and the head."""
    import timm

    backbone: Any = model.backbone
    architecture, args = backbone.spec["architecture"], backbone.spec["args"]
    with seeded(0):
        network = timm.create_model(architecture, num_classes=len(head.bias), **args)
    classifier: Any = network.get_classifier()
    if not isinstance(classifier, nn.Linear) or classifier.in_features != len(head.weight):
        raise ValueError(
            f"the classifier of timm's {architecture} is not one linear layer on these {len(head.weight)} features, so "
            "it cannot hold this model's head: export it to ONNX (--onnx)"
        )
    lacking = network.load_state_dict(backbone.module.state_dict(), strict=False)
    own = {id(weights) for weights in classifier.parameters()}
    names = {name for name, weights in network.named_parameters() if id(weights) in own}
    if lacking.unexpected_keys or set(lacking.missing_keys) - names:
        wrong = sorted([*lacking.unexpected_keys, *(set(lacking.missing_keys) - names)])
        raise ValueError(f"timm's {architecture} and the backbone differ in {wrong[0]}: export it to ONNX (--onnx)")
    with torch.no_grad():
        classifier.weight.copy_(torch.from_numpy(head.weight.T))
        classifier.bias.copy_(torch.from_numpy(head.bias))
    return network.eval()


def _save(network: Any, model: Model, preprocess: PicturePreprocess, stage: Path) -> None:
    from timm.models import save_for_hf

    backbone: Any = model.backbone
    how = _transform(preprocess)
    config: dict[str, Any] = {"label_names": list(class_names(model)), "pretrained_cfg": how}
    args = backbone.spec["args"] or None
    save_for_hf(network, stage, model_config=config, model_args=args, safe_serialization=True)
    # timm keeps what its own weights of this architecture are transformed by where it is told otherwise.
    file = stage / "config.json"
    written = json.loads(file.read_text("utf-8"))
    foreign = ("test_", "hf_hub", "tag", "license", "origin_url", "paper", "url")
    kept = {key: value for key, value in written["pretrained_cfg"].items() if not key.startswith(foreign)}
    licence = {"license": backbone.licence.lower()} if backbone.licence else {}
    written["pretrained_cfg"] = kept | how | {"num_classes": written["num_classes"]} | licence
    file.write_text(json.dumps(written, indent=2) + "\n", "utf-8")


def _transform(preprocess: PicturePreprocess) -> dict[str, Any]:
    """What timm's pretrained_cfg says of the preprocessing; its transform resizes to floor(size / crop_pct)."""
    height, width = preprocess.size
    share = min(height, width) / preprocess.resize
    while math.floor(min(height, width) / share) < preprocess.resize:
        share = math.nextafter(share, 0.0)
    return {
        "input_size": [3, height, width],
        "interpolation": preprocess.interpolation,
        "crop_pct": 1.0 if preprocess.squash else share,
        "crop_mode": "squash" if preprocess.squash else "center",
        "mean": list(preprocess.mean),
        "std": list(preprocess.std),
    }


def logits_of_folder(folder: Path, inputs: Any, preprocess: PicturePreprocess) -> tuple[Array, Array]:
    """(N, C) logits of timm's network, loaded anew: of pictures that headstart prepared, and that timm did."""
    import timm
    from timm.data import create_transform, resolve_model_data_config
    from torchvision.transforms.v2.functional import to_pil_image

    network = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    transform = create_transform(**resolve_model_data_config(network))
    ours, theirs = [], []
    with torch.inference_mode():
        for start in range(0, len(inputs), _BATCH):
            decoded = [Source(each).decode(draft=True, window=preprocess.window) for each in inputs[start:][:_BATCH]]
            pixels = preprocess.collate([preprocess.prepare(picture)[0] for picture in decoded])
            ours.append(network(*preprocess.tensors(*map(torch.from_numpy, pixels))).double().numpy())
            batch = torch.stack([transform(to_pil_image(picture)) for picture in decoded])
            theirs.append(network(batch).double().numpy())
    return np.concatenate(ours), np.concatenate(theirs)


def _of_pillow(model: Model, expected: Array, own: Array) -> tuple[str, ...]:
    """That timm's own transform, which resizes with Pillow, rounds pixels otherwise, where that can be seen."""
    largest = largest_difference(model.kind, expected, own)
    if largest <= TOLERANCE:
        return ()
    return (
        f"note: timm's own transform resizes with Pillow, which rounds pixels otherwise: through it the largest "
        f"difference is {largest:.2g}; on the same pixels it is that of the parity",
    )
