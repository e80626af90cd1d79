"""torchvision comes with the first picture, in whichever thread that is, and not with tables and texts."""

import subprocess
import sys

SCRIPT = """
import io, sys, threading
import numpy as np, torch
from PIL import Image
import headstart, headstart.cli.app, headstart.study.protocol, headstart.transfer
from headstart.preprocessing.decode import decode
from headstart.preprocessing.prepare import thumbnail
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
"""


def test_tables_do_without_and_the_first_pictures_may_be_of_several_threads(tmp_path):
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=300)
