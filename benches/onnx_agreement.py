"""Compares `tasklens predict` with ONNX Runtime on the file that `tasklens export-model` writes.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 pillow
    venv/bin/python benches/onnx_agreement.py target/release/tasklens RUN FOLDER [--images 300] [--decoders]

RUN is a run folder or a checkpoint, FOLDER has images. Both programs get PNG copies, so that the networks are compared
and not the decoders of JPEG; --decoders gives both the files as they are. Each image is compared twice: of its own
size, and of the network's. Tasklens computes in float32, and in bf16 where the run does and the processor can.
Fails if float32 differs by more than 1e-3, on images of the network's size by more than 1e-4, or in an answer.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime
from PIL import Image, ImageOps

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp"}


def in_precision(checkpoint, precision, target):
    """A copy of a checkpoint that computes in another precision."""
    data = checkpoint.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    description = json.loads(header["__metadata__"]["description"])
    before = description["precision"]
    description["precision"] = precision
    header["__metadata__"]["description"] = json.dumps(description)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    target.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    return before


def upright(file):
    """An image as the card of a model asks for it: upright, RGB, on white."""
    image = ImageOps.exif_transpose(Image.open(file))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def predict(program, checkpoint, files):
    """Per file and task the probabilities that Tasklens gives."""
    command = [program, "predict", checkpoint, *files, "--json"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    answers = {}
    for line in map(json.loads, lines):
        tasks = line["tasks"].items()
        answers[line["image"]] = {name: list(task["probabilities"].values()) for name, task in tasks}
    return answers


def compare(session, outputs, files, ours):
    """The greatest difference, on which image, and where the answers differ."""
    worst, where, others = 0.0, "", []
    for file in files:
        pixels = numpy.asarray(upright(file))[None]
        theirs = session.run(list(outputs.values()), {"image": pixels})
        for task, given in zip(outputs, theirs):
            expected = numpy.array(ours[str(file)][task])
            apart = float(abs(given[0] - expected).max())
            if apart > worst:
                worst, where = apart, file.name
            if given[0].argmax() != expected.argmax():
                others.append(f"{file.name} {task}")
    return worst, where, others


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--decoders", action="store_true")
    arguments = parser.parse_args()

    checkpoint = arguments.run / "best.safetensors" if arguments.run.is_dir() else arguments.run
    files = sorted(file for file in arguments.folder.iterdir() if file.suffix.lower() in ENDINGS)
    files = files[:: max(1, len(files) // arguments.images)][: arguments.images]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        checkpoints = {"fp32": folder / "fp32.safetensors"}
        if in_precision(checkpoint, "fp32", checkpoints["fp32"]) == "bf16":
            checkpoints["bf16"] = checkpoint
        model = folder / "model.onnx"
        command = [arguments.program, "export-model", checkpoints["fp32"], "--out", model]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        onnx.checker.check_model(model, full_check=True)
        session = onnxruntime.InferenceSession(model)
        about = session.get_modelmeta().custom_metadata_map
        outputs, size = json.loads(about["outputs"]), json.loads(about["input_size"])
        side = (size["width"], size["height"])

        own = files
        if not arguments.decoders:
            own = [folder / f"{file.name}.png" for file in files]
            for file, copy in zip(files, own):
                upright(file).save(copy)
        small = [folder / f"{file.name}.small.png" for file in files]
        for file, copy in zip(files, small):
            upright(file).resize(side, Image.Resampling.BILINEAR).save(copy)

        is_fine = True
        print(f"{about['network']} {size['height']}x{size['width']}, {len(files)} images of {arguments.folder}")
        for precision, weights in checkpoints.items():
            for images, what, limit in [(own, "of their own size", 1e-3), (small, "of the network's size", 1e-4)]:
                ours = predict(arguments.program, weights, images)
                worst, where, others = compare(session, outputs, images, ours)
                print(f"  {precision}, {what}: at most {worst:.2e} ({where}), {len(others)} other answers", *others)
                is_fine &= precision != "fp32" or (worst <= limit and not others)
    sys.exit(0 if is_fine else "the answers differ by more than they may")


main()
