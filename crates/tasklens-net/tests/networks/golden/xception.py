"""Records xception.json: what timm's legacy_xception computes with weights and inputs made from formulas.

    pip install torch==2.11.0 timm==1.0.31 && python xception.py > xception.json

Weights: element i (row-major) of the tensor called `name`, on 32 bits:

    v = i * 2654435761 + crc32(name);  v ^= v >> 15;  v *= 2246822519;  v ^= v >> 13;  u = v / 2^32 - 0.5
    convolution: u * sqrt(6 / fan-in) * 1.3    running_var: 1 + 0.2 * |u|    other weight: 1 + 0.1 * u    rest: 0.1 * u

Input: x[c][y][x] = ((7c + 3y + 5x) mod 17) / 8.5 - 1. Features: after global average pooling, in float32.
"""

import json
import zlib

import numpy as np
import timm
import torch


def weights(name, shape):
    v = np.arange(int(np.prod(shape)), dtype=np.uint32) * np.uint32(2654435761) + np.uint32(zlib.crc32(name.encode()))
    v ^= v >> np.uint32(15)
    v *= np.uint32(2246822519)
    v ^= v >> np.uint32(13)
    u = v.astype(np.float64) / 2**32 - 0.5
    if len(shape) == 4:
        u *= np.sqrt(6 / np.prod(shape[1:])) * 1.3
    elif name.endswith("running_var"):
        u = 1 + 0.2 * np.abs(u)
    elif name.endswith(".weight"):
        u = 1 + 0.1 * u
    else:
        u = 0.1 * u
    return torch.tensor(u.astype(np.float32).reshape(shape))


def image(height, width):
    c, y, x = np.mgrid[:3, :height, :width]
    return torch.tensor((((7 * c + 3 * y + 5 * x) % 17) / 8.5 - 1).astype(np.float32))[None]


network = timm.create_model("legacy_xception", pretrained=False, num_classes=0).eval()
state = network.state_dict()
parameters = [(name, list(tensor.shape)) for name, tensor in state.items() if not name.endswith("num_batches_tracked")]
network.load_state_dict(state | {name: weights(name, shape) for name, shape in parameters})
features = {}
for height, width in [(299, 299), (128, 160), (64, 64), (71, 50)]:
    with torch.no_grad():
        values = network(image(height, width))[0].double().numpy()
    listed = [float(f"{value:.8g}") for value in values[::16]]
    features[f"{height}x{width}"] = {"every_16th": listed, "mean": float(f"{values.mean():.8g}")}


def lines(items):
    return ",\n".join("    " + item for item in items)


print('{\n  "made_with": ' + json.dumps(f"timm {timm.__version__}, torch {torch.__version__}") + ',\n  "parameters": [')
print(lines(json.dumps(row) for row in parameters) + '\n  ],\n  "features": {')
print(lines(f"{json.dumps(size)}: {json.dumps(values)}" for size, values in features.items()) + "\n  }\n}")
