"""What `benches/gpu.sh` measures: needs PyTorch and NumPy alone; with Pillow, the peer trains from the files, too.

Both train Xception with three heads in batches of 64 at 299 x 299, in bf16 and channels-last; the peer with a fused Adam and
a loader of as many processes as there are cores. An epoch is 2 passes over the photographs where nothing else is said.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time

import torch
import torch.nn.functional as F
from torch import nn

from peer import Augmented

LABELS = {"item": 10, "sleeves": 2, "worn_on": 5}
SIZE = 299
IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def separable(into, out):
    return nn.Sequential(
        nn.Conv2d(into, into, 3, padding=1, groups=into, bias=False),
        nn.Conv2d(into, out, 1, bias=False),
        nn.BatchNorm2d(out),
    )


class Block(nn.Module):
    """Of Xception: separable convolutions beside a shortcut (Chollet 2017, figure 5)."""

    def __init__(self, into, out, layers, stride=1, begins_with_relu=True, grows_first=True):
        super().__init__()
        widths = [into] + [out] * layers if grows_first else [into] * layers + [out]
        parts = []
        for layer in range(layers):
            if layer > 0 or begins_with_relu:
                parts.append(nn.ReLU(inplace=layer > 0))
            parts.append(separable(widths[layer], widths[layer + 1]))
        if stride > 1:
            parts.append(nn.MaxPool2d(3, stride, 1))
        self.layers = nn.Sequential(*parts)
        self.shortcut = nn.Identity()
        if stride > 1 or into != out:
            self.shortcut = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        return self.layers(x) + self.shortcut(x)


class Xception(nn.Module):
    def __init__(self):
        super().__init__()
        relu = lambda: nn.ReLU(inplace=True)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, 3, 2, bias=False), nn.BatchNorm2d(32), relu(),
            nn.Conv2d(32, 64, 3, bias=False), nn.BatchNorm2d(64), relu(),
            Block(64, 128, 2, 2, begins_with_relu=False), Block(128, 256, 2, 2), Block(256, 728, 2, 2),
            *[Block(728, 728, 3) for _ in range(8)],
            Block(728, 1024, 2, 2, grows_first=False),
            separable(1024, 1536), relu(), separable(1536, 2048), relu(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )
        self.heads = nn.ModuleList(nn.Linear(2048, labels) for labels in LABELS.values())

    def forward(self, x):
        features = self.layers(x)
        return [head(features) for head in self.heads]


class Peer:
    def __init__(self, device, batch):
        torch.manual_seed(0)
        torch.backends.cudnn.benchmark = True
        self.device = device
        self.batch = batch
        self.network = Xception().to(device, memory_format=torch.channels_last).train()
        self.adam = torch.optim.Adam(self.network.parameters(), 1e-3, fused=True)

    def step(self, images, labels):
        images = images.to(self.device, non_blocking=True).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device, torch.bfloat16):
            answers = self.network(images)
            loss = sum(F.cross_entropy(a.float(), y.to(self.device)) for a, y in zip(answers, labels))
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()

    def wait(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def steps(self, count):
        """Images a second of steps on images that are there already."""
        images = torch.randn(self.batch, 3, SIZE, SIZE, device=self.device)
        labels = [torch.randint(0, n, (self.batch,), device=self.device) for n in LABELS.values()]
        times = []
        for _ in range(count + 2):
            self.wait()
            began = time.perf_counter()
            self.step(images, labels)
            self.wait()
            times.append(time.perf_counter() - began)
        return self.batch / statistics.median(times[2:])

    def epochs(self, files, count):
        """Images a second of epochs from the files; `None` without Pillow and torchvision."""
        try:
            import PIL
            import torchvision
        except ImportError:
            return None
        loader = torch.utils.data.DataLoader(
            Augmented(files, SIZE, LABELS.values()), self.batch, shuffle=True, num_workers=os.cpu_count(),
            persistent_workers=True, pin_memory=self.device == "cuda",
        )
        rates = []
        for _ in range(count):
            began = time.perf_counter()
            for images, labels in loader:
                self.step(images, labels)
            self.wait()
            rates.append(len(files) / (time.perf_counter() - began))
        return rates


class Busy:
    """How busy the GPU is, percent, by what `nvidia-smi` says twice a second."""

    def __enter__(self):
        self.seen = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0"]
        while not self.ended.wait(0.5):
            try:
                self.seen.append(float(subprocess.run(query, capture_output=True, text=True).stdout))
            except (OSError, ValueError):
                return

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def told(self):
        # The beginning and the end of a run are other work.
        middle = sorted(self.seen)[len(self.seen) // 4 :]
        return f"{statistics.mean(middle):.0f} %" if middle else ""


class Tasklens:
    def __init__(self, program, folder, device):
        self.program = program
        self.folder = folder
        self.device = device

    def run(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"tasklens {' '.join(map(str, arguments))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def project(self, files, backbone, batch, epochs):
        folder = os.path.join(self.folder, backbone)
        os.makedirs(folder)
        with open(os.path.join(folder, "photographs.csv"), "w", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(["image_path", *LABELS, "split"])
            for at, file in enumerate(files):
                split = "validation" if at % 20 == 0 else "train"
                rows.writerow([file, *(f"label{at % n}" for n in LABELS.values()), split])
        encoder = "".join(
            f"    {task}: [{', '.join(f'label{label}' for label in range(n))}]\n" for task, n in LABELS.items()
        )
        config = os.path.join(folder, "config.yml")
        with open(config, "w") as out:
            out.write(
                "paths:\n  model_dataframe: photographs.csv\nmodel:\n  paths: image_path\n"
                f"  input_shape: [{SIZE}, {SIZE}]\n  target_encoder:\n{encoder}  backbone: {backbone}\n"
                f"  pretrained: none\n  split_column: split\n  batch_size: {batch}\n  epochs: {epochs}\n"
                f"  device: {self.device}\n"
            )
        return config

    def train(self, config):
        """The run, images a second of its epochs, and how busy the GPU was."""
        run = os.path.join(os.path.dirname(config), "run")
        with Busy() as busy:
            told = self.run("train", config, "--run", run, "--json")
        events = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
        rates = [event["images_per_sec"] for event in events if event["event"] == "epoch"]
        begun = next(event for event in events if event["event"] == "started")
        return run, rates, f"{begun['device']}, {begun['precision']}", busy.told()

    def answers(self, run, files, device):
        out = os.path.join(self.folder, f"{device}.csv")
        began = time.perf_counter()
        self.run("predict", run, *files, "--csv", out, "--device", device)
        seconds = time.perf_counter() - began
        with open(out, newline="") as read:
            return list(csv.DictReader(read)), seconds


def disagreement(rows, others):
    """The greatest difference of a probability, and how many answers differ."""
    greatest, differing, answers = 0.0, 0, 0
    for row, other in zip(rows, others, strict=True):
        for name, value in row.items():
            if name in LABELS:
                answers += 1
                differing += value != other[name]
            else:
                try:
                    greatest = max(greatest, abs(float(value) - float(other[name])))
                except ValueError:
                    pass
    return greatest, differing, answers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tasklens")
    parser.add_argument("photographs")
    parser.add_argument("--python")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--images", type=int, default=6400, help="of an epoch: the photographs as often as it takes")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64)
    asked = parser.parse_args()
    names = sorted(name for name in os.listdir(asked.photographs) if name.lower().endswith(IMAGES))
    if not names:
        raise SystemExit(f"{asked.photographs} has no images")
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for at in range(asked.images):
            # Each a file of its own, as the images of a project are.
            name = names[at % len(names)]
            file = os.path.join(folder, f"{at:06}{os.path.splitext(name)[1].lower()}")
            os.symlink(os.path.abspath(os.path.join(asked.photographs, name)), file)
            files.append(file)
        tasklens = Tasklens(os.path.abspath(asked.tasklens), folder, asked.device)
        print(tasklens.run("doctor"))
        rows = []
        run, rates, told, busy = tasklens.train(tasklens.project(files, "xception", asked.batch, asked.epochs))
        peer = Peer(asked.device, asked.batch)
        steps = peer.steps(10)
        whole = peer.epochs(files, asked.epochs)
        for name, ours, theirs in [
            ("first epoch, from the files", rates[0], whole and whole[0]),
            ("later epochs, from the files", max(rates[1:] or rates), whole and max(whole[1:] or whole)),
            ("later epochs beside the peer's bare steps", max(rates[1:] or rates), steps),
        ]:
            ratio = f"**{ours / theirs:.2f}**" if theirs else ""
            rows.append([f"training, Xception, {name}", f"{ours:.1f}", f"{theirs:.1f}" if theirs else "", ratio, busy])
        _, lite, _, busy = tasklens.train(tasklens.project(files, "efficientnet_lite0", asked.batch, asked.epochs))
        rows.append(["training, EfficientNet-Lite0, later epochs", f"{max(lite[1:] or lite):.1f}", "", "", busy])
        few = files[: len(names)]
        there, seconds = tasklens.answers(run, few, asked.device)
        rows.append([f"prediction of {len(few)} photographs, from start to end", f"{len(few) / seconds:.1f}", "", "", ""])
        here, _ = tasklens.answers(run, few, "cpu")
        greatest, differing, answers = disagreement(there, here)
        gpu = torch.cuda.get_device_name() if asked.device == "cuda" else "none"
        print(f"GPU: {gpu}; {os.cpu_count()} cores; PyTorch {torch.__version__}; Tasklens trained on {told}.\n")
        print("| images/s | Tasklens | PyTorch | Tasklens / PyTorch | GPU busy |\n| --- | ---: | ---: | ---: | ---: |")
        for row in rows:
            print("| " + " | ".join(row) + " |")
        print(
            f"\nThe {asked.device} and the processor: greatest difference of a probability {greatest:.2g}, "
            f"{differing} of {answers} answers differ."
        )


main()
