import io
import tarfile

import pytest
import torch

from headstart.artefact.archive import pack_backbone, unpack_backbone
from headstart.backbones.load import load
from headstart.errors import ArtefactError


@pytest.fixture
def packed(tmp_path):
    backbone = load("small:conv4-32")
    return backbone, pack_backbone(backbone, tmp_path / "x.tar")


def rewritten(file, change):
    """The archive with its members changed: name -> bytes in, name -> bytes out."""
    with tarfile.open(file) as archive:
        members = {member.name: archive.extractfile(member).read() for member in archive}
    with tarfile.open(file, "w") as archive:
        for name, data in change(members).items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


def test_what_is_unpacked_is_what_was_packed(packed, tmp_path):
    backbone, file = packed
    folder = unpack_backbone(file, tmp_path / "b")
    again = load(f"file:{folder}")
    assert again.fingerprint == backbone.fingerprint
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(again.module(x), backbone.module(x))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "x.tar"]


def test_nothing_of_who_packed_it_is_in_the_file(packed):
    with tarfile.open(packed[1]) as archive:
        members = archive.getmembers()
    assert {(member.uid, member.mtime, member.uname, member.mode) for member in members} == {(0, 0, "", 0o644)}


@pytest.mark.parametrize("name", ["../outside", "/outside", "weights.pkl", "config.json/x"])
def test_members_of_other_names_are_refused(packed, tmp_path, name):
    file = rewritten(packed[1], lambda members: {name: b"x", **members})
    with pytest.raises(ArtefactError, match="not what headstart packed; nothing is unpacked"):
        unpack_backbone(file, tmp_path / "deep" / "b")
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "deep" / "b").exists()
    assert not list((tmp_path / "deep").iterdir())


def test_links_are_refused(packed, tmp_path):
    with tarfile.open(packed[1], "w") as archive:
        link = tarfile.TarInfo("model.safetensors")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    with pytest.raises(ArtefactError, match=r"holds 'model.safetensors': not what headstart packed"):
        unpack_backbone(packed[1], tmp_path / "b")


def test_changed_weights_do_not_fit_the_hashes(packed, tmp_path):
    def change(members):
        data = bytearray(members["model.safetensors"])
        data[-1] ^= 1
        return members | {"model.safetensors": bytes(data)}

    with pytest.raises(ArtefactError, match=r"model.safetensors"):
        unpack_backbone(rewritten(packed[1], change), tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_half_a_file_and_no_file(packed, tmp_path):
    file = packed[1]
    file.write_bytes(file.read_bytes()[:3000])
    with pytest.raises(ArtefactError, match=r"half of one|config.json|model.safetensors"):
        unpack_backbone(file, tmp_path / "b")
    (tmp_path / "text.tar").write_text("no archive")
    with pytest.raises(ArtefactError, match="no archive that headstart packed, or half of one"):
        unpack_backbone(tmp_path / "text.tar", tmp_path / "b")
    with pytest.raises(ArtefactError, match=r"no file .*none.tar"):
        unpack_backbone(tmp_path / "none.tar", tmp_path / "b")


def test_nothing_is_overwritten(packed, tmp_path):
    backbone, file = packed
    with pytest.raises(ArtefactError, match="exists already"):
        pack_backbone(backbone, file)
    with pytest.raises(ArtefactError, match="exists already"):
        unpack_backbone(file, tmp_path)
    with pytest.raises(ArtefactError, match="has no weights that could be kept"):
        pack_backbone(load("identity"), tmp_path / "y.tar")
