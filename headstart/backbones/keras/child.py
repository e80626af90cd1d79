"""Run as a script with a network's name, the pixels of a side and the pooling, if any: prints it as JSON.

Keras is imported in this process alone, with torch as its backend and a folder of its own that goes away, so that the
caller's process, its environment and the user's settings of Keras stay as they are.
"""

import json
import os
import sys
import tempfile


def main() -> None:
    name, side, pooling = sys.argv[1], int(sys.argv[2]), sys.argv[3] or None
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(KERAS_BACKEND="torch", KERAS_HOME=folder)
        import keras

        make = getattr(keras.applications, name)
        network = make(weights=None, include_top=False, input_shape=(side, side, 3), pooling=pooling)
        model = {"class_name": type(network).__name__, "config": network.get_config()}
    sys.stdout.write(json.dumps(model))


if __name__ == "__main__":
    main()
