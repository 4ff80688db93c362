"""Writes the shipped digits model as ONNX, all 32 steps in one graph: the fastest form for a peer."""

import json
import pathlib
import sys

import torch

from model import Z, AlignDraw, load_safetensors

manifest_path, out = sys.argv[1:]
manifest = json.loads(pathlib.Path(manifest_path).read_text())
tensors = load_safetensors(pathlib.Path(manifest_path).with_name(manifest["weights"]["file"]))
model = AlignDraw(tensors, words_attended=tensors["generative_caption"].shape[0] == 23).eval()
ids = torch.zeros(1, 12, dtype=torch.long)
noise = torch.zeros(manifest["config"]["num_steps"], 1, Z)
with torch.no_grad():
    torch.onnx.export(
        model, (ids, noise), out, input_names=["ids", "noise"], output_names=["images"], opset_version=17,
        dynamo=False, do_constant_folding=True,
    )
