#!/bin/sh
# Tasklens on a GPU beside PyTorch, in one call on a machine that has one. It builds nothing: it takes a release binary, a
# Python with PyTorch 2.11, whose libraries Tasklens uses too, and a folder of photographs (200 will do).
#
#     benches/gpu.sh TASKLENS PHOTOGRAPHS [--python PYTHON] [--device cuda|cpu] [--images N] [--epochs N]
#
# It prints a Markdown table, and whether the GPU answers as the processor does; `--device cpu` tries the script itself.
set -eu
if [ $# -lt 2 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0"
    exit 2
fi
python=python3
previous=
for argument in "$@"; do
    [ "$previous" = --python ] && python=$argument
    previous=$argument
done
torch=$("$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))') || {
    echo "$python has no PyTorch: name one that has with --python" >&2
    exit 1
}
# The libraries of CUDA are beside PyTorch.
libraries=$torch/lib
for folder in "$torch"/../nvidia/*/lib; do
    [ -d "$folder" ] && libraries=$libraries:$folder
done
LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
exec "$python" "$(dirname "$0")/peer/gpu.py" "$@"
