"""A network's weights in 8 bits, a quarter of the size: the only door to onnx.

Comes in: an ONNX file of a transformer. Goes out: the same network, its matrix products by 8-bit weights in blocks of
32 (MatMulNBits of onnxruntime), its tables of rows looked up in 8 bits with a scale a row. Does not know: what the
network computes. Activations are rounded block by block, never over a batch, so that a text's result is its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

BLOCK = 32
ACCURACY = 4  # multiply in 8 bits, rounding activations by the block too
LARGE = 1 << 20  # tables with fewer numbers than this stay as they are


def quantise(path: Path) -> None:
    """Rewrite an ONNX file with 8-bit weights."""
    model = onnx.load(str(path))
    graph = model.graph
    weights = {each.name: each for each in graph.initializer}
    fresh: list[TensorProto] = []
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.op_type == "MatMul" and (matrix := _floats(weights.get(node.input[1]), 2)) is not None:
            nodes.append(_product(node, matrix, fresh))
        elif node.op_type == "Gather" and (table := _floats(weights.get(node.input[0]), 2)) is not None:
            nodes += _lookup(node, table, fresh) if table.size >= LARGE and _axis(node) == 0 else [node]
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [each for each in graph.initializer if each.name in used]
    del graph.initializer[:]
    made = {each.name: each for each in (*kept, *fresh)}  # a table looked up twice is written once
    graph.initializer.extend(made.values())
    if all(each.domain != "com.microsoft" for each in model.opset_import):
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, str(path))


def blocks(matrix: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(k, n) floats to (n, blocks, 32) numbers around 128 and (n, blocks) scales, one block running down a column."""
    inner, outer = matrix.shape
    count = -(-inner // BLOCK)
    padded = np.zeros((outer, count * BLOCK), np.float32)
    padded[:, :inner] = matrix.T
    return _round(padded.reshape(outer, count, BLOCK))


def _round(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Numbers around 128, symmetric, with a scale for each run along the last axis."""
    scales = np.abs(values).max(-1) / np.float32(127)
    scales[scales == 0] = 1
    return (np.rint(values / scales[..., None]) + 128).astype(np.uint8), scales.astype(np.float32)


def _product(node: NodeProto, matrix: NDArray[np.float32], fresh: list[TensorProto]) -> NodeProto:
    numbers, scales = blocks(matrix)
    names = [f"{node.input[1]}.numbers", f"{node.input[1]}.scales"]
    fresh += [numpy_helper.from_array(numbers, names[0]), numpy_helper.from_array(scales, names[1])]
    return helper.make_node(
        "MatMulNBits",
        [node.input[0], *names],
        list(node.output),
        name=node.name,
        domain="com.microsoft",
        K=matrix.shape[0],
        N=matrix.shape[1],
        bits=8,
        block_size=BLOCK,
        accuracy_level=ACCURACY,
    )


def _lookup(node: NodeProto, table: NDArray[np.float32], fresh: list[TensorProto]) -> Sequence[NodeProto]:
    """Gather rows of small integers and their scales, and multiply: plain ONNX, so that any runtime reads it."""
    numbers, scales = _round(table)
    small = (numbers.astype(np.int16) - 128).astype(np.int8)
    rows, steps, out = f"{node.input[0]}.rows", f"{node.input[0]}.steps", node.output[0]
    fresh += [numpy_helper.from_array(small, rows), numpy_helper.from_array(scales[:, None], steps)]
    return [
        helper.make_node("Gather", [rows, node.input[1]], [f"{out}.rows"], name=f"{node.name}.rows"),
        helper.make_node("Gather", [steps, node.input[1]], [f"{out}.steps"], name=f"{node.name}.steps"),
        helper.make_node("Cast", [f"{out}.rows"], [f"{out}.floats"], name=f"{node.name}.cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{out}.floats", f"{out}.steps"], [out], name=f"{node.name}.scale"),
    ]


def _floats(weight: TensorProto | None, rank: int) -> NDArray[np.float32] | None:
    """A weight as an array, where it is of that rank and of single precision."""
    if weight is None or weight.data_type != TensorProto.FLOAT or len(weight.dims) != rank:
        return None
    array: NDArray[np.float32] = numpy_helper.to_array(weight)
    return array


def _axis(node: NodeProto) -> int:
    return next((each.i for each in node.attribute if each.name == "axis"), 0)
