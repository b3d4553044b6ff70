"""What a practised user of Python would measure: the other side of `benches/peer.rs`.

Reads a request per line from standard input, as JSON, and answers each with a line: the seconds of one run, or how a folder
went. The process waits between requests, so that both sides can be measured in turn.

    {"do": "predict", "engine": "openvino" | "onnxruntime", "model": FILE, "precision": "f32" | "bf16", "batch": N}
    {"do": "train", "network": NAME OF TIMM, "precision": ..., "batch": N, "size": PIXELS, "labels": [N, ...]}
    {"do": "features", "model": FILE, "photographs": [FILE, ...], "precision": ...}
    {"do": "epoch", as "train", "photographs": [FILE, ...]}
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


def trainee(request):
    """A network of timm with a head for each task, and a step of its training."""
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

    def step(x, labels):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            answers = network(x.contiguous(memory_format=torch.channels_last))
            loss = sum(F.cross_entropy(answer.float(), label) for answer, label in zip(answers, labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def train(request):
    import torch

    step = trainee(request)
    x = torch.randn(request["batch"], 3, request["size"], request["size"]).contiguous(memory_format=torch.channels_last)
    labels = [torch.randint(0, count, (request["batch"],)) for count in request["labels"]]
    return lambda: step(x, labels)


class Augmented:
    """Photographs with labels, changed at random."""

    def __init__(self, paths, size, labels):
        from torchvision import transforms

        self.paths = paths
        self.labels = labels
        self.transform = transforms.Compose([
            transforms.Resize((size, size)),
            transforms.RandomAffine(10, (0.15, 0.15), (0.8, 1.2)),
            transforms.ColorJitter(brightness=0.5),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize([0.5] * 3, [0.5] * 3),
        ])

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, at):
        from PIL import Image

        return self.transform(Image.open(self.paths[at]).convert("RGB")), [at % count for count in self.labels]


def epoch(request):
    """From the files, by two processes that live from epoch to epoch."""
    import torch

    step = trainee(request)
    rows = Augmented(request["photographs"], request["size"], request["labels"])
    loader = torch.utils.data.DataLoader(rows, request["batch"], shuffle=True, num_workers=2, persistent_workers=True)

    def run():
        for pixels, labels in loader:
            step(pixels, labels)

    return run


def features(request):
    """What the network knows of photographs, as one file."""
    import torch

    def run():
        asked, (height, width) = compiled(request)
        rows = Photographs(request["photographs"], (width, height))
        found = []
        for pixels in torch.utils.data.DataLoader(rows, 16, num_workers=2):
            pixels = pixels.numpy()
            # The features come behind the tasks.
            answers = list(asked.infer([filled(pixels)]).values())
            found.append(answers[-1][: len(pixels)].astype(np.float16))
        np.save(os.path.join(request["folder"], "features.npy"), np.concatenate(found))

    return run


def compiled(request):
    """A network that predicts batches of 16, and the height and width of its images."""
    import openvino

    core = openvino.Core()
    model = core.read_model(request["model"])
    height, width = (side.get_length() for side in list(model.input(0).partial_shape)[1:3])
    model.reshape([16, height, width, 3])
    hints = {"INFERENCE_PRECISION_HINT": request["precision"]}
    return core.compile_model(model, "CPU", hints).create_infer_request(), (height, width)


def filled(pixels):
    """A batch of 16."""
    if len(pixels) == 16:
        return pixels
    return np.concatenate([pixels, np.zeros((16 - len(pixels), *pixels.shape[1:]), np.uint8)])


class Photographs:
    """As the network takes them."""

    def __init__(self, paths, size):
        self.paths = paths
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
    import torch

    asked, (height, width) = compiled(request)
    paths = sorted(os.path.join(request["folder"], name) for name in os.listdir(request["folder"]))
    began = time.perf_counter()
    with open(os.devnull, "w") as out:
        names = iter(paths)
        for pixels in torch.utils.data.DataLoader(Photographs(paths, (width, height)), 16, num_workers=2):
            pixels = pixels.numpy()
            *tasks, _ = asked.infer([filled(pixels)]).values()
            for image in range(len(pixels)):
                print(next(names), *(float(p) for task in tasks for p in task[image]), sep=",", file=out)
    return len(paths) / (time.perf_counter() - began)


WORK = {"predict": predict, "train": train, "epoch": epoch, "features": features}


def main():
    prepared = {}
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "folder":
            print(folder(request), flush=True)
            continue
        if line not in prepared:
            # One at a time: another would keep its memory and its threads.
            prepared = {line: WORK[request["do"]](request)}
            prepared[line]()
        began = time.perf_counter()
        prepared[line]()
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()
