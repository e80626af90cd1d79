"""Files as Keras writes them, and what Keras makes of pictures: run as a script with a folder, to test their reader.

With NAME:SIDE behind it only that application, with prepare NAME only what its preprocess_input makes of x.json.

Each network is written with drawn norms and biases, so that one that is lost or in the wrong place changes what is put
out. Beside NAME.npz (x uint8 pixels, p what preprocess_input makes of them, y the features) lie the files of weights.
"""

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from keras import layers
from keras.src.legacy.saving.legacy_h5_format import save_model_to_hdf5

APPLICATIONS = {"VGG16": 32, "MobileNetV2": 32}


def drawn(network):
    """Every weight that begins at 0 or 1 moved away from it."""
    rng = np.random.default_rng(0)
    for weight in network.weights:
        kind, shape = weight.path.rpartition("/")[2], tuple(weight.shape)
        if kind in ("bias", "beta", "moving_mean"):
            weight.assign(rng.normal(0, 0.1, shape))
        if kind in ("gamma", "moving_variance"):
            weight.assign(rng.uniform(0.5, 1.5, shape))
    return network


def answers(network, inputs):
    with torch.inference_mode():
        return np.asarray(network(inputs, training=False))


def pictures(side):
    return np.random.default_rng(1).integers(0, 256, (2, side, side, 3)).astype(np.uint8)


def application(folder, name, side):
    make = getattr(keras.applications, name)
    network = drawn(make(weights=None, include_top=False, input_shape=(side, side, 3), pooling="avg"))
    x = pictures(side)
    prepared = sys.modules[make.__module__].preprocess_input(x.astype(np.float32).copy())
    np.savez(folder / f"{name}.npz", x=x, p=prepared, y=answers(network, prepared))
    save_model_to_hdf5(network, str(folder / f"{name}.h5"))
    if name == "MobileNetV2":
        network.save_weights(folder / f"{name}.weights.h5")


def own(side=33):
    """Every kind of layer that a picture's network of one's own may have, on maps of odd sides."""
    inputs = x = keras.Input((side, side, 3))
    x = layers.Rescaling([0.5, 0.25, 1.0], offset=[0.0, 1.0, -1.0])(x)
    x = layers.RandomFlip()(x)
    x = layers.Conv2D(8, 5, strides=2, padding="same", activation="gelu")(x)
    x = layers.BatchNormalization(scale=False)(x)
    a = layers.SeparableConv2D(8, 3, strides=2, padding="same", depth_multiplier=2, activation="swish")(x)
    b = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    c = layers.AveragePooling2D(2, strides=2, padding="same")(x)
    x = layers.Concatenate()([layers.Add()([a, b]), layers.Average()([b, c]), layers.Maximum()([a, c])])
    x = layers.LeakyReLU(negative_slope=0.1)(layers.LayerNormalization()(x))
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Dense(24, activation="sigmoid")(layers.Reshape((1, 1, 24))(gate))
    x = layers.Multiply()([x, gate])
    x = layers.ReLU(6.0)(layers.DepthwiseConv2D(3, dilation_rate=2, padding="same")(x))
    x = layers.SpatialDropout2D(0.2)(layers.ZeroPadding2D(((1, 0), (2, 1)))(x))
    x = layers.Conv2D(16, 3, groups=2, padding="valid")(x)
    x = layers.ELU(0.5)(layers.Subtract()([x, layers.Activation("tanh")(x)]))
    x = layers.Dropout(0.3)(layers.Dense(12, activation="relu")(layers.Flatten()(x)))
    features = layers.BatchNormalization()(x)
    network = drawn(keras.Model(inputs, layers.Dense(4, activation="softmax")(features)))
    return network, keras.Model(inputs, features)


def whole(folder, name, network, features, side):
    x = pictures(side)
    np.savez(folder / f"{name}.npz", x=x, y=answers(features, x.astype(np.float32)))
    network.save(folder / f"{name}.keras")
    save_model_to_hdf5(network, str(folder / f"{name}.h5"))
    network.save_weights(folder / f"{name}.weights.h5")


def nested():
    """A tutorial's model: a pretrained network without its classifier, flattened, and dense layers of one's own."""
    base = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(32, 32, 3))
    base.trainable = False
    inputs = keras.Input((32, 32, 3))
    x = layers.Flatten()(base(keras.ops.subtract(keras.ops.true_divide(inputs, 127.5), 1.0), training=False))
    features = layers.Dense(6, activation="relu")(x)
    return drawn(keras.Model(inputs, layers.Dense(3)(features))), keras.Model(inputs, features)


@keras.saving.register_keras_serializable()
class Own(layers.Layer):
    def call(self, inputs):
        return inputs


def prepare(folder, name):
    """p.npy: what preprocess_input makes of the pixels in x.json."""
    pixels = np.array(json.loads((folder / "x.json").read_text()), np.float32)
    module = sys.modules[getattr(keras.applications, name).__module__]
    np.save(folder / "p.npy", module.preprocess_input(pixels))


def main(folder):
    keras.utils.set_random_seed(0)
    for name, side in APPLICATIONS.items():
        application(folder, name, side)
    whole(folder, "own", *own(), 33)
    whole(folder, "nested", *nested(), 32)
    for name, layer in (("lambda", layers.Lambda(abs)), ("custom", Own())):
        keras.Sequential([keras.Input((8, 8, 3)), layer, layers.Flatten()]).save(folder / f"{name}.keras")
    plain = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(4, 3), layers.GlobalMaxPooling2D()])
    plain.save(folder / "plain.keras")


if __name__ == "__main__":
    place, *words = Path(sys.argv[1]), *sys.argv[2:]
    if not words:
        main(place)
    elif words[0] == "prepare":
        prepare(place, words[1])
    else:
        for word in words:
            application(place, word.partition(":")[0], int(word.partition(":")[2]))
