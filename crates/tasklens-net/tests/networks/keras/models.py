"""Writes models as the Python project saved them, with what Keras says of them.

    python models.py 3 FOLDER          with Keras 3 (pip install tensorflow-cpu==2.21)
    python models.py 2 FOLDER          with Keras 2, as TensorFlow 2.4 to 2.15 wrote them (pip install tf_keras)

It makes `keras3.h5.gz` or `keras2.h5.gz` and, with Keras 3, `tiny.h5.gz`: an Xception of the widths of Tasklens'
`xception_small` with two heads, whose weights come from a formula with a short period, so that the files pack well;
and `keras3.json` or `keras2.json` with what it answers for images that come from a formula, too.
"""

import gzip
import io
import json
import os
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np

STEM, ENTRY, MIDDLE, EXIT, TAIL = (24, 48), (96, 160, 256), 2, 384, (512, 512)
TASKS = (("print", 3), ("sleeves", 2))
# One side even and one odd after each halving somewhere: the two kinds of padding differ on even ones.
HEIGHT, WIDTH = 71, 64


def conv(keras, x, filters, kernel, strides, padding, name=None):
    x = keras.layers.Conv2D(
        filters, kernel, strides=strides, padding=padding, use_bias=False, name=name
    )(x)
    return keras.layers.BatchNormalization(name=name and name + "_bn")(x)


def separable(keras, x, filters, name):
    x = keras.layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return keras.layers.BatchNormalization(name=name + "_bn")(x)


def relu(keras, x, name):
    return keras.layers.Activation("relu", name=name + "_act")(x)


def xception(keras, shape):
    """keras.applications.Xception, line by line, at other widths."""
    image = keras.Input(shape)
    x = relu(keras, conv(keras, image, STEM[0], 3, 2, "valid", "block1_conv1"), "block1_conv1")
    x = relu(keras, conv(keras, x, STEM[1], 3, 1, "valid", "block1_conv2"), "block1_conv2")
    plans = [(width, width) for width in ENTRY]
    for number, widths in enumerate(plans, 2):
        x = halving(keras, x, widths, f"block{number}", starts_with_relu=number > 2)
    for number in range(5, 5 + MIDDLE):
        residual = x
        for i in (1, 2, 3):
            name = f"block{number}_sepconv{i}"
            x = separable(keras, relu(keras, x, name), ENTRY[2], name)
        x = keras.layers.Add()([x, residual])
    last = 5 + MIDDLE
    x = halving(keras, x, (ENTRY[2], EXIT), f"block{last}", starts_with_relu=True)
    for i, width in enumerate(TAIL, 1):
        name = f"block{last + 1}_sepconv{i}"
        x = relu(keras, separable(keras, x, width, name), name)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, x, name="xception")


def halving(keras, x, widths, name, starts_with_relu):
    residual = conv(keras, x, widths[1], 1, 2, "same")
    for i, width in enumerate(widths, 1):
        if i > 1 or starts_with_relu:
            x = relu(keras, x, f"{name}_sepconv{i}")
        x = separable(keras, x, width, f"{name}_sepconv{i}")
    x = keras.layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return keras.layers.Add()([x, residual])


def multitask(keras, base, shape, tasks=TASKS):
    image = keras.Input(shape)
    x = base(keras.applications.xception.preprocess_input(image))
    heads = [
        keras.layers.Dense(labels, activation="softmax", name=f"{task}_clf")(x) for task, labels in tasks
    ]
    model = keras.Model(image, heads)
    # As the Python project trained it; the file then has a training_config beside the model.
    model.compile("adam", "categorical_crossentropy")
    return model


def weights_of(layer):
    """Every weight with the layer's own name for it, the nested model's, too."""
    for inner in getattr(layer, "layers", []):
        yield from weights_of(inner)
    if not hasattr(layer, "layers"):
        for weight in layer.weights:
            yield weight, weight.name.split("/")[-1].split(":")[0]


def formula(kind, shape, seed):
    """Multiples of 1/64 that repeat after 61 numbers, in the size that keeps the signal alive."""
    count = int(np.prod(shape))
    u = ((np.arange(count) * 37 + 11 * seed) % 61 - 30) / 32.0
    if kind == "moving_variance":
        values = 0.002 + np.abs(u) * 0.25
    elif kind == "gamma":
        values = 0.75 + 0.25 * u
    elif kind in ("beta", "moving_mean", "bias"):
        values = 0.125 * u
    else:
        fan_in = shape[0] * shape[1] * (1 if kind == "depthwise_kernel" else shape[2]) if len(shape) == 4 else 65536
        values = u * (1.0 / fan_in) ** 0.5
    return values.astype("float32").reshape(shape)


def image(number):
    """Bytes [HEIGHT, WIDTH, 3]."""
    y, x, c = np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), np.arange(3), indexing="ij")
    return ((y * (7 + number) + x * (3 + 2 * number) + c * 41 + (x * y) // (9 + number)) % 256).astype("uint8")


def pack(path, to):
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9, mtime=0) as out:
        out.write(open(path, "rb").read())
    with open(to, "wb") as out:
        out.write(packed.getvalue())


def tiny(keras, folder):
    """A file of a few layers, which is nearly all structure, in the rarer forms: a list of names that is split as
    Keras splits long ones, texts of a fixed length, and a kernel in packed chunks."""
    import h5py

    image = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 3, use_bias=False, name="block1_conv1")(image)
    x = keras.layers.BatchNormalization(name="block1_conv1_bn")(x)
    x = keras.layers.SeparableConv2D(2, 3, use_bias=False, name="block2_sepconv1")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = multitask(keras, keras.Model(image, x, name="xception"), (32, 32, 3), TASKS[:1])
    for seed, (weight, kind) in enumerate(weights_of(model)):
        weight.assign(formula(kind, tuple(weight.shape), seed))
    with tempfile.TemporaryDirectory() as made:
        path = os.path.join(made, "model.h5")
        model.save(path, include_optimizer=False)
        with h5py.File(path, "a") as file:
            group = file["model_weights/xception"]
            names = [name.encode() for name in group.attrs["weight_names"]]
            del group.attrs["weight_names"]
            group.attrs["weight_names0"] = np.array(names[:3])
            group.attrs["weight_names1"] = np.array(names[3:])
            kernel = group["block1_conv1/kernel"]
            values = kernel[...]
            del group["block1_conv1/kernel"]
            group["block1_conv1"].create_dataset(
                "kernel", data=values, chunks=(2, 2, 3, 4), compression="gzip", shuffle=True
            )
        pack(path, os.path.join(folder, "tiny.h5.gz"))


def main():
    version, folder = sys.argv[1], sys.argv[2]
    if version == "3":
        import keras
    else:
        import tf_keras as keras
    shape = (HEIGHT, WIDTH, 3)
    model = multitask(keras, xception(keras, shape), shape)
    for seed, (weight, kind) in enumerate(weights_of(model)):
        weight.assign(formula(kind, tuple(weight.shape), seed))
    pixels = np.stack([image(number) for number in range(4)]).astype("float32")
    answers = model.predict(pixels, verbose=0)
    features = model.get_layer("xception").predict(pixels / 127.5 - 1, verbose=0)
    with tempfile.TemporaryDirectory() as made:
        path = os.path.join(made, "model.h5")
        model.save(path, include_optimizer=False)
        pack(path, os.path.join(folder, f"keras{version}.h5.gz"))
    if version == "3":
        tiny(keras, folder)
    listed = {
        "written_by": f"Keras {keras.__version__}",
        "probabilities": [[[round(float(p), 6) for p in row] for row in task] for task in answers],
        "features_every_16th": [[round(float(v), 6) for v in row[::16]] for row in features],
    }
    with open(os.path.join(folder, f"keras{version}.json"), "w") as out:
        json.dump(listed, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
