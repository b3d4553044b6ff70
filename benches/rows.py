"""Time and memory of a project by its number of rows, from 1,000 to 1,000,000: `python benches/rows.py TASKLENS [SVG]`.

Each row is a small image of its own, in folders of a thousand, with three labels. `label-stats` opens the project and counts;
`check` also opens each image and reads its header; beside it, in turn, `find` asks for the size of each. Medians of 3. Needs
GNU's `find` and space for a million files; prints a Markdown table, and writes a picture of it to SVG.
"""

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROWS = [1_000, 10_000, 100_000, 1_000_000]
LABELS = {"print": 7, "sleeves": 3, "neckline": 4}
# 1 x 1 pixel, grey.
IMAGE = bytes.fromhex(
    "424d3a000000000000003600000028000000010000000100000001001800000000000400000000000000000000000000000000000000"
    "80808000"
)
ROUNDS = 3


def project(folder, rows):
    with open(os.path.join(folder, "rows.csv"), "w") as out:
        out.write(f"image_path,{','.join(LABELS)}\n")
        for row in range(rows):
            name = f"images/{row // 1000:04}/{row:07}.bmp"
            if row % 1000 == 0:
                os.makedirs(os.path.join(folder, os.path.dirname(name)))
            with open(os.path.join(folder, name), "wb") as image:
                image.write(IMAGE)
            out.write(f"{name},{','.join(f'{task}{row % labels}' for task, labels in LABELS.items())}\n")
    encoder = "".join(
        f"    {task}: [{', '.join(f'{task}{label}' for label in range(labels))}]\n" for task, labels in LABELS.items()
    )
    config = os.path.join(folder, "config.yml")
    with open(config, "w") as out:
        out.write(
            "paths:\n  model_dataframe: rows.csv\nmodel:\n  input_shape: [64, 64]\n  paths: image_path\n"
            f"  target_encoder:\n{encoder}"
        )
    return config


def measure(*command):
    """Seconds, and the most memory in MB, of a program."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(child.pid, 0)
    return time.perf_counter() - began, used.ru_maxrss / 1000


def median(measured):
    return [statistics.median(values) for values in zip(*measured)]


def main():
    program = os.path.abspath(sys.argv[1])
    points = []
    print("| rows | `label-stats` | memory | `check` | memory | `check` / `find` |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for rows in ROWS:
        with tempfile.TemporaryDirectory() as folder:
            config = project(folder, rows)

            find = ("find", os.path.join(folder, "images"), "-type", "f", "-size", "+1000k")
            measure(*find)
            counts, checks, finds = [], [], []
            for _ in range(ROUNDS):
                counts.append(measure(program, "label-stats", config))
                checks.append(measure(program, "check", config))
                finds.append(measure(*find))
            counted, checked, found = median(counts), median(checks), median(finds)
            points.append((rows, counted, checked))
            print(
                f"| {rows:,} | {counted[0]:.2f} s | {counted[1]:.0f} MB | {checked[0]:.2f} s | {checked[1]:.0f} MB "
                f"| {checked[0] / found[0]:.1f} |",
                flush=True,
            )
    few, many = points[0], points[-1]
    print(f"\n{1e6 * (many[1][1] - few[1][1]) / (many[0] - few[0]):.0f} bytes a row to open, beside {few[1][1]:.0f} MB.")
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w") as out:
            out.write(picture(points))


def picture(points):
    """Time and memory over rows, both axes logarithmic."""
    width, height, left, top, bottom = 400, 240, 58, 30, 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * width}" height="{height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{2 * width}" height="{height}" fill="white"/>',
    ]
    for side, (title, at, lowest, highest) in enumerate([("seconds", 0, 0.01, 100), ("memory, MB", 1, 10, 10_000)]):
        begin, end = side * width + left, (side + 1) * width - 34
        x = lambda rows: begin + (end - begin) * (math.log10(rows) - 3) / 3
        y = lambda value: height - bottom - (height - bottom - top) * math.log10(max(value, lowest) / lowest) / math.log10(
            highest / lowest
        )
        parts.append(f'<text x="{begin}" y="18" font-weight="bold">{title}</text>')
        tick = lowest
        while tick <= highest:
            parts.append(f'<line x1="{begin}" x2="{end}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#ddd"/>')
            parts.append(f'<text x="{begin - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
            tick *= 10
        for rows in ROWS:
            parts.append(f'<text x="{x(rows):.1f}" y="{height - bottom + 18}" text-anchor="middle">{rows:,}</text>')
        for which, (name, colour) in enumerate([("label-stats", "#1f6fb4"), ("check", "#c4571a")], 1):
            line = " ".join(f"{x(point[0]):.1f},{y(point[which][at]):.1f}" for point in points)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
            parts.append(f'<text x="{begin + 8}" y="{top + 4 + 16 * which}" fill="{colour}">{name}</text>')
    parts.append(f'<text x="{width}" y="{height - 4}" text-anchor="middle">rows</text></svg>')
    return "\n".join(parts) + "\n"


main()
