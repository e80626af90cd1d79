"""Folders in timm's hub format, from which `timm.create_model` answers as the model."""

import numpy as np
import pytest
from exported import CLASSES, TIMM_VIT, fitted_on, labels, soft_pictures

from headstart.deployment.formats.export import export
from headstart.preprocessing.decode import decode_picture
from headstart.transfer import Transfer

PICTURES = soft_pictures()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("timm")


@pytest.fixture(scope="module")
def fitted(folder):
    return fitted_on(TIMM_VIT, folder / "weights", PICTURES)


@pytest.fixture(scope="module")
def exported(folder, fitted):
    return export(fitted, folder / "out", format="timm", check_on=PICTURES)


def test_timm_answers_as_the_model(exported, fitted):
    import timm
    import torch

    network = timm.create_model(f"local-dir:{exported.path}", pretrained=True).eval()
    form = fitted.model_.backbone.preprocess
    new = soft_pictures(6, seed=5)
    pixels = form.collate([form.prepare(decode_picture(picture))[0] for picture in new])
    with torch.inference_mode():
        p = network(*form.tensors(*map(torch.from_numpy, pixels))).softmax(1).numpy()
    np.testing.assert_allclose(p, fitted.predict_proba(new), atol=1e-5)
    assert network.pretrained_cfg["label_names"] == sorted(CLASSES)


def test_its_own_transform_differs_by_the_rounding_of_pixels_alone(exported, fitted):
    import timm
    import torch

    network = timm.create_model(f"local-dir:{exported.path}", pretrained=True)
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network))
    form = fitted.model_.backbone.preprocess
    for picture in soft_pictures(3, seed=6):
        prepared = form.collate([form.prepare(decode_picture(picture))[0]])
        (own,) = form.tensors(*map(torch.from_numpy, prepared))
        levels = (transform(picture) - own[0]).abs() * 255 * torch.tensor(form.std)[:, None, None]
        assert levels.max() < 1.1
        assert levels.mean() < 0.05


def test_what_is_compared_is_told(exported):
    assert exported.parity.rows == len(PICTURES)
    assert exported.parity.largest <= 1e-5


def test_the_folder_is_a_backbone_again(exported, fitted):
    again = Transfer(f"timm:{exported.path}", "ridge", engine="torch", cache=False).fit(PICTURES, labels())
    np.testing.assert_allclose(again.transform(PICTURES), fitted.transform(PICTURES), atol=1e-5)
    assert again.model_.backbone.classifier().labels == tuple(sorted(CLASSES))


def test_networks_of_other_hubs_are_refused(folder):
    fitted = Transfer("small:conv4", "ridge", engine="torch", cache=False).fit(PICTURES, labels())
    with pytest.raises(
        ValueError, match=r"holds a network of timm, and this model has the backbone small:conv4.*--onnx"
    ):
        export(fitted, folder / "other", format="timm", check_on=PICTURES)
    assert not (folder / "other").exists()
