"""Pictures are read and resized without torchvision's import, in whichever thread that is; what needs it gets it."""

import subprocess
import sys

import pytest

SCRIPT = """
import io, sys, threading
import numpy as np, torch
from PIL import Image
import headstart, headstart.cli.app, headstart.study.protocol, headstart.transfer
from headstart.preprocessing.decode import decode
from headstart.preprocessing.prepare import thumbnail
from headstart.preprocessing.vision import vision
import pandas as pd
table = pd.DataFrame({"x": range(12), "kind": list("ab") * 6})
headstart.fit(table, roles=headstart.Roles(target="kind"), method="ridge", cache=False)
assert not {"torchvision", "torch._dynamo"} & sys.modules.keys()
encoded = io.BytesIO()
Image.new("RGB", (40, 30), (9, 99, 199)).save(encoded, "JPEG")
work = [lambda: decode(encoded.getvalue()), lambda: thumbnail(torch.zeros(3, 40, 40, dtype=torch.uint8))] * 4
shapes = []
threads = [threading.Thread(target=lambda each=each: shapes.append(tuple(each().shape))) for each in work]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert sorted(shapes) == [(3, 30, 40)] * 4 + [(32, 32, 3)] * 4, shapes
assert not {"torchvision", "torch._dynamo"} & sys.modules.keys()
threads = [threading.Thread(target=lambda: shapes.append(vision())) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(set(shapes[8:])) == 1 and shapes[-1].hflip
from torchvision import io
data = torch.frombuffer(bytearray(encoded.getvalue()), dtype=torch.uint8)
assert torch.equal(io.decode_jpeg(data, io.ImageReadMode.RGB), decode(encoded.getvalue()))
"""


@pytest.mark.slow
def test_neither_tables_nor_pictures_need_it_and_both_may_be_loaded_side_by_side(tmp_path):
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=300)
