# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes and reads .npy files for tests, good ones and damaged ones, without
NumPy.

  npy.py write FILE SHAPE [--descr D] [--version V] [--fortran] [--cut N]
                          [--extra N] [--magic] [--nan] [--header TEXT]
  npy.py print FILE         the shape and the values
"""

import argparse
import random
import struct
import sys

FORMATS = {"f2": "e", "f4": "f", "f8": "d", "i4": "i"}


def write(args):
    shape = [int(size) for size in args.shape.split(",")]
    count = 1
    for size in shape:
        count *= max(size, 0)
    count = count if count < 1 << 20 else 0  # huge shapes are only claimed
    order, kind = args.descr[0], args.descr[1:]
    draw = random.Random(args.seed)
    values = [int(draw.gauss(0, 9)) if kind == "i4" else draw.gauss(0, 1) for _ in range(count)]
    if args.nan:
        values[0] = float("nan")
    data = struct.pack(order + str(len(values)) + FORMATS[kind], *values)
    header = args.header or "{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }" % (
        args.descr,
        args.fortran,
        "".join(f"{size}, " for size in shape),
    )
    width = 2 if args.version == 1 else 4
    header += " " * (63 - (8 + width + len(header)) % 64) + "\n"
    content = b"\x93NUMPX" if args.magic else b"\x93NUMPY"
    content += bytes([args.version, 0])
    content += struct.pack("<H" if width == 2 else "<I", len(header)) + header.encode() + data
    if args.cut:
        content = content[: -args.cut] if args.cut > 0 else content[: 64 + args.cut]
    with open(args.file, "wb") as file:
        file.write(content + b"\0" * args.extra)


def show(args):
    with open(args.file, "rb") as file:
        content = file.read()
    assert content[:8] == b"\x93NUMPY\x01\0", content[:8]
    length = struct.unpack("<H", content[8:10])[0]
    assert (10 + length) % 64 == 0
    header = eval(content[10 : 10 + length])  # our own output
    assert header["descr"] == "<f4" and header["fortran_order"] is False
    data = content[10 + length :]
    print("shape", header["shape"])
    print("values", " ".join(f"{v:.4f}" for v in struct.unpack(f"<{len(data) // 4}f", data)))


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    writer = commands.add_parser("write")
    writer.add_argument("file")
    writer.add_argument("shape")
    writer.add_argument("--descr", default="<f4")
    writer.add_argument("--version", type=int, default=1)
    writer.add_argument("--fortran", action="store_true")
    writer.add_argument("--cut", type=int, default=0, help="bytes off the end; negative: into the header")
    writer.add_argument("--extra", type=int, default=0)
    writer.add_argument("--magic", action="store_true", help="wrong magic")
    writer.add_argument("--nan", action="store_true", help="the first value is NaN")
    writer.add_argument("--header", help="header text in place of the right one")
    writer.add_argument("--seed", type=int, default=1)
    writer.set_defaults(run=write)
    printer = commands.add_parser("print")
    printer.add_argument("file")
    printer.set_defaults(run=show)
    args = parser.parse_args()
    args.run(args)


sys.exit(main())
