"""Real processes over loopback with TLS: a SuperLink, and SuperNodes, one of which dies."""

from __future__ import annotations

import datetime
import ipaddress
import os
import signal
import socket
import threading

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from small import RESNET, bright

from headstart.backbones.load import load
from headstart.distributed.federate import federate
from headstart.distributed.processes import Address, Certificates, end, join, serve
from headstart.errors import DataError
from headstart.transfer import Transfer


def signed(subject, key, issuer, issuer_key, *, authority):
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if authority:
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    else:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Of an authority made for these tests, and of localhost signed by it."""
    folder = tmp_path_factory.mktemp("certificates")
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("authority", "server")}
    names = {name: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in keys}
    for name, key in keys.items():
        made = signed(names[name], key, names["authority"], keys["authority"], authority=name == "authority")
        (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        (folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return Certificates(folder / "server.pem", folder / "server.key", folder / "authority.pem")


def free():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return Address("localhost", probe.getsockname()[1])


def test_addresses():
    assert Address.of("localhost:90") == ("localhost", 90)
    assert Address.of("8080") == ("localhost", 8080)
    for text in ("localhost", "localhost:", "a:70000", ":x"):
        with pytest.raises(ValueError, match="is no address: write HOST:PORT"):
            Address.of(text)


def test_what_tls_lacks_is_refused(owned, certificates, tmp_path):
    file = owned / "clients.toml"
    missing = certificates._replace(key=tmp_path / "none.key")
    with pytest.raises(DataError, match="TLS needs PEM files"):
        serve(file, tmp_path / "m", free(), missing)
    other = certificates._replace(key=certificates.authority.with_suffix(".key"))
    with pytest.raises(DataError, match=r"authority\.key is not the key of"):
        serve(file, tmp_path / "m", free(), other)
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        with pytest.raises(DataError, match="cannot be listened on"):
            serve(file, tmp_path / "m", Address("localhost", taken.getsockname()[1]), certificates)
    with pytest.raises(DataError, match=r"has no client 'east': it has north, south, west"):
        join(file, "east", free(), certificates.authority)
    with pytest.raises(DataError, match="TLS needs PEM files"):
        join(file, "west", free(), tmp_path / "none.pem")


def over_tls(file, names, out, certificates):
    """What a server with these clients says, each in processes of its own."""
    nodes, listening, address = [], threading.Event(), free()

    class Telling:
        def say(self, line):
            if line.startswith("serving"):
                listening.set()

        def progress(self, stage, done, total):
            pass

    def joined():
        listening.wait(120)
        nodes.extend(join(file, name, address, certificates.authority) for name in names)

    joining = threading.Thread(target=joined)
    joining.start()
    try:
        return serve(file, out, address, certificates, listener=Telling())["json"]
    finally:
        listening.set()
        joining.join()
        for node in nodes:
            node.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        'head = "lda"\n',
        'head = "lda"\nsecure = true\n',
        '[rounds]\nstrategy = "fedadam"\nrounds = 2\n',
    ],
)
def test_processes_over_tls_learn_what_a_simulation_learns(owned, certificates, tmp_path, how):
    text = (owned / "clients.toml").read_text("utf-8").split('[[client]]\nname = "west"')[0]
    text = text.replace("[[client]]", f"{how}[[client]]", 1)
    for name in ("north", "south"):
        (tmp_path / f"{name}.csv").write_bytes((owned / f"{name}.csv").read_bytes())
    file = tmp_path / "clients.toml"
    file.write_text("timeout = 900.0\n" + text, "utf-8")
    answer = over_tls(file, ("north", "south"), tmp_path / "m", certificates)
    assert answer["left_out"] == {}
    assert set(answer["clients"]) == {"north", "south"}
    model, same = Transfer.load(tmp_path / "m"), federate(file).model
    for name in ("weight.0", "bias.0"):
        np.testing.assert_allclose(model.model_.head.arrays[name], same.model_.head.arrays[name], rtol=0, atol=1e-6)
    # Masks are drawn anew and sums rounded under them; at its minimum the temperature moves by the root of that.
    rounding = 1e-4 if "secure" in how else 1e-6
    for name, score in same.evidence_.metrics.items():
        np.testing.assert_allclose(model.evidence_.metrics[name], score, rtol=0, atol=rounding)


@pytest.mark.slow
@pytest.mark.parametrize("train", ["top", "lora"])
def test_processes_over_tls_move_the_weights_that_a_simulation_moves(certificates, tmp_path, train):
    if train == "lora":
        pytest.importorskip("peft")
    names = ("north", "south")
    for number, name in enumerate(names):
        for row in range(24):
            place = tmp_path / name / "rgb"[(row + (row % 4 == 0)) % 3]  # some are wrong, or no gradient is left
            place.mkdir(parents=True, exist_ok=True)
            bright(row + 24 * number, 40).save(place / f"{row}.png")
    clients = "".join(f'[[client]]\nname = "{name}"\ndata = "{name}"\n' for name in names)
    file = tmp_path / "clients.toml"
    rounds = f'[rounds]\ntrain = "{train}"\nrounds = 2\nepochs = 1\nlr = 1e-3\n'
    file.write_text(f'timeout = 900.0\nbackbone = "{RESNET}"\nfolds = 3\n{rounds}{clients}', "utf-8")
    answer = over_tls(file, names, tmp_path / "m", certificates)
    assert answer["left_out"] == {}
    model, same = Transfer.load(tmp_path / "m"), federate(file).model
    before = load(RESNET).module.state_dict()
    ours, theirs = (own.model_.backbone.module.state_dict() for own in (model, same))
    assert ours.keys() == theirs.keys()
    moved = [name for name, weights in ours.items() if not weights.equal(before.get(name, weights))]
    assert moved
    for name, weights in ours.items():
        np.testing.assert_allclose(weights.numpy(), theirs[name].numpy(), rtol=0, atol=1e-5, err_msg=name)


def test_a_node_is_ended_with_those_that_it_started():
    import subprocess
    import sys

    code = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE); "
    code += "print(p.pid, flush=True); p.wait()"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    os.kill(child, 0)
    end(process)
    process.stdout.close()
    assert process.returncode == -signal.SIGTERM
