import json

import pytest

from headstart.errors import BackboneError
from headstart.preprocessing.image_processor import picture_preprocess
from headstart.preprocessing.spec import PicturePreprocess

GREY = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}


def processor(folder, kind, **settings):
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_processor_type": kind, **settings}))
    return folder


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        (
            "ViTImageProcessor",
            {"size": {"height": 224, "width": 192}, "resample": 3},
            {"size": (224, 192), "resize": 192, "interpolation": "bicubic", "squash": True, **GREY},
        ),
        (
            "ConvNextImageProcessor",
            {"size": {"shortest_edge": 224}, "crop_pct": 0.875, "image_mean": [0.1, 0.2, 0.3]},
            {"size": (224, 224), "resize": 256, "interpolation": "bicubic", "squash": False, **GREY}
            | {"mean": (0.1, 0.2, 0.3)},
        ),
        (
            "ConvNextImageProcessor",
            {"size": {"shortest_edge": 384}},
            {"size": (384, 384), "resize": 438, "interpolation": "bicubic", "squash": True, **GREY},
        ),
        (
            "DeiTImageProcessor",
            {"size": {"height": 256, "width": 256}, "crop_size": {"height": 224, "width": 224}, "do_normalize": False},
            {"size": (224, 224), "resize": 256, "interpolation": "bicubic", "squash": False}
            | {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)},
        ),
        (
            "BitImageProcessor",
            {"size": {"shortest_edge": 448}, "crop_size": {"height": 448, "width": 448}, "resample": 2}
            | {"image_mean": [0.5] * 3, "image_std": [0.5] * 3},
            {"size": (448, 448), "resize": 448, "interpolation": "bilinear", "squash": False, **GREY},
        ),
        (
            "BitImageProcessor",
            {"size": {"shortest_edge": 96}, "do_center_crop": False, "image_mean": [0.5] * 3, "image_std": [0.5] * 3},
            {"size": (96, 96), "resize": 96, "interpolation": "bicubic", "squash": False, **GREY},
        ),
    ],
)
def test_the_processors_of_the_common_families(tmp_path, kind, settings, expected):
    assert picture_preprocess(processor(tmp_path, kind, **settings)) == PicturePreprocess(**expected)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": {"longest_edge": 224}}, "size .*longest_edge.* is not supported; expected a fixed size"),
        ({"do_resize": False}, "is not supported; expected a fixed size"),
        ({"resample": 0}, "interpolation = 'neither of them'; expected 'bilinear' or 'bicubic'"),
        ({"rescale_factor": 1 / 127.5}, r"does not scale pixels to \[0, 1\]; that is not supported"),
        ({"do_rescale": False}, r"does not scale pixels to \[0, 1\]"),
        ({"image_std": [1, 1, 0]}, "std = .*three positive numbers"),
        ({"image_mean": [0.5]}, "mean = .*three numbers"),
        ({"image_processor_type": "NoSuchProcessor"}, "no image processor that transformers reads"),
    ],
)
def test_what_cannot_be_said_is_refused(tmp_path, settings, words):
    folder = processor(tmp_path, **{"kind": "ViTImageProcessor", **settings})
    with pytest.raises(BackboneError, match=words):
        picture_preprocess(folder)


def test_a_folder_without_a_processor_is_refused(tmp_path):
    with pytest.raises(BackboneError, match="no image processor that transformers reads"):
        picture_preprocess(tmp_path)
