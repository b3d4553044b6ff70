"""An exported network over a table of image paths, with Ray Data: one row of Parquet for each image.

    tasklens export-model RUN --out model.onnx
    pip install "ray[data]" onnxruntime pillow
    python ray_data.py model.onnx images.csv answers/ [--column image_path] [--workers 2] [--cpus 0.5]

Each worker has the network in memory and one thread. Reading and writing need a CPU, too: where workers take them all, Ray
waits for ever. Ray starts again what a worker that died had in hand, so that every image has one row.

The columns are those of `tasklens predict --csv`: the table's own, and for each task the answer and the probability of each
label; where the table has a column of that name already, the new one is called NAME_predicted. An image that cannot be
read has the reason in `error`. The folder must be empty: parts of an earlier run would stay beside the new ones.
"""

import argparse
import json
import pathlib

import numpy
import onnxruntime
import ray
from PIL import Image, ImageOps


class Predictor:
    """A worker."""

    def __init__(self, model, folder, column, taken):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        about = self.session.get_modelmeta().custom_metadata_map
        labels, outputs = json.loads(about["labels"]), json.loads(about["outputs"])
        self.tasks = [{"name": task, "labels": labels[task]} for task in json.loads(about["tasks"])]
        self.outputs = [outputs[task["name"]] for task in self.tasks]
        self.input = self.session.get_inputs()[0].name
        self.folder, self.column, self.taken = pathlib.Path(folder), column, taken

    def __call__(self, batch):
        answers = {name: [] for name in self.names()}
        for path in batch[self.column]:
            try:
                probabilities, error = self.predict(self.folder / str(path)), ""
            except Exception as why:  # whatever is wrong with one image costs that image alone
                probabilities, error = None, f"{path}: {why}"
            for place, task in enumerate(self.tasks):
                row = probabilities[place] if probabilities else [numpy.nan] * len(task["labels"])
                answers[task["name"]].append(task["labels"][int(numpy.argmax(row))] if probabilities else "")
                for label, probability in zip(task["labels"], row):
                    answers[f"{task['name']}:{label}"].append(numpy.float32(probability))
            answers["error"].append(error)
        return {**batch, **{self.free(name): numpy.array(column) for name, column in answers.items()}}

    def free(self, name):
        """A name that no column of the table has."""
        return f"{name}_predicted" if name in self.taken else name

    def names(self):
        for task in self.tasks:
            yield task["name"]
            yield from (f"{task['name']}:{label}" for label in task["labels"])
        yield "error"

    def predict(self, path):
        """Per task the probability of each label."""
        with Image.open(path) as image:
            pixels = numpy.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        return [output[0] for output in self.session.run(self.outputs, {self.input: pixels[None]})]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model")
    arguments.add_argument("table", help="a CSV")
    arguments.add_argument("out", help="a folder for the Parquet files")
    arguments.add_argument("--column", default="image_path", help="the column with the paths, from the CSV's folder")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--cpus", type=float, default=0.5, help="what Ray counts for a worker")
    arguments = arguments.parse_args()
    table, out = pathlib.Path(arguments.table).resolve(), pathlib.Path(arguments.out).resolve()
    if out.exists() and any(out.iterdir()):
        raise SystemExit(f"{out} is not empty: name another folder, so that no answers are mixed")
    images = ray.data.read_csv(str(table))
    taken = images.columns()
    if arguments.column not in taken:
        raise SystemExit(f"{table} has no column {arguments.column}, only {', '.join(taken)}: name one with --column")
    images = images.repartition(4 * arguments.workers)
    answers = images.map_batches(
        Predictor,
        fn_constructor_args=(str(pathlib.Path(arguments.model).resolve()), str(table.parent), arguments.column, taken),
        batch_size=16,
        concurrency=arguments.workers,
        num_cpus=arguments.cpus,
    )
    answers.write_parquet(str(out))


if __name__ == "__main__":
    main()
