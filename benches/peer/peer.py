"""What a practised user of Python would measure: the other side of `benches/peer.rs`.

Reads a request per line from standard input, as JSON, and answers each with a line: the seconds of one run, or how a folder
went. The process waits between requests, so that both sides can be measured in turn.

    {"do": "predict", "engine": "openvino" | "onnxruntime", "model": FILE, "precision": "f32" | "bf16", "batch": N}
    {"do": "train", "network": NAME OF TIMM, "precision": ..., "batch": N, "size": PIXELS, "labels": [N, ...]}
    {"do": "folder", "model": FILE, "folder": FOLDER, "precision": ...}
"""

import json
import os
import sys
import time

import numpy as np


def predict(request):
    batch = request["batch"]
    if request["engine"] == "openvino":
        import openvino

        core = openvino.Core()
        model = core.read_model(request["model"])
        # Compiled for one size, it is faster than for any.
        model.reshape([batch, *list(model.input(0).partial_shape)[1:]])
        hints = {"INFERENCE_PRECISION_HINT": request["precision"], "PERFORMANCE_HINT": "LATENCY"}
        asked = core.compile_model(model, "CPU", hints).create_infer_request()
        pixels = images([batch, *model.input(0).shape[1:]])
        return lambda: asked.infer([pixels])
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    session = onnxruntime.InferenceSession(request["model"], options, providers=["CPUExecutionProvider"])
    taken = session.get_inputs()[0]
    pixels = images([batch, *taken.shape[1:]])
    return lambda: session.run(None, {taken.name: pixels})


def images(shape):
    return (np.arange(np.prod(shape), dtype=np.int64) * 7919 % 251).astype(np.uint8).reshape(shape)


def train(request):
    import timm
    import torch
    import torch.nn.functional as F

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = timm.create_model(request["network"], num_classes=0)
            features = self.backbone.num_features
            self.heads = torch.nn.ModuleList(torch.nn.Linear(features, labels) for labels in request["labels"])

        def forward(self, x):
            features = self.backbone(x)
            return [head(features) for head in self.heads]

    torch.manual_seed(0)
    network = Net().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, fused=True)
    bf16 = request["precision"] == "bf16"
    x = torch.randn(request["batch"], 3, request["size"], request["size"]).contiguous(memory_format=torch.channels_last)
    labels = [torch.randint(0, count, (request["batch"],)) for count in request["labels"]]

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            answers = network(x)
            loss = sum(F.cross_entropy(answer.float(), label) for answer, label in zip(answers, labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


class Folder:
    """Photographs as the network takes them."""

    def __init__(self, folder, size):
        self.paths = sorted(os.path.join(folder, name) for name in os.listdir(folder))
        self.size = size

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, at):
        from PIL import Image

        image = Image.open(self.paths[at])
        # JPEG at the next size above, if there is one: it costs nothing.
        image.draft("RGB", self.size)
        return np.array(image.convert("RGB").resize(self.size, Image.BILINEAR))


def folder(request):
    """A batch of 16 at a time from two processes that decode, through OpenVINO; writes a CSV."""
    import openvino
    import torch

    core = openvino.Core()
    model = core.read_model(request["model"])
    height, width = (side.get_length() for side in list(model.input(0).partial_shape)[1:3])
    model.reshape([16, height, width, 3])
    hints = {"INFERENCE_PRECISION_HINT": request["precision"]}
    asked = core.compile_model(model, "CPU", hints).create_infer_request()
    rows = Folder(request["folder"], (width, height))
    began = time.perf_counter()
    with open(os.devnull, "w") as out:
        names = iter(rows.paths)
        for pixels in torch.utils.data.DataLoader(rows, 16, num_workers=2):
            pixels = pixels.numpy()
            count = len(pixels)
            if count < 16:
                pixels = np.concatenate([pixels, np.zeros((16 - count, *pixels.shape[1:]), np.uint8)])
            answers = asked.infer([pixels])
            tasks = [answers[at] for at in range(len(model.outputs) - 1)]
            for image in range(count):
                print(next(names), *(float(p) for task in tasks for p in task[image]), sep=",", file=out)
    return len(rows) / (time.perf_counter() - began)


def main():
    prepared = {}
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "folder":
            print(folder(request), flush=True)
            continue
        if line not in prepared:
            # One at a time: another would keep its memory and its threads.
            prepared = {line: predict(request) if request["do"] == "predict" else train(request)}
            prepared[line]()
        began = time.perf_counter()
        prepared[line]()
        print(time.perf_counter() - began, flush=True)


main()
