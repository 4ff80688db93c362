"""alignDRAW in PyTorch, as a peer to measure against: what a careful PyTorch user would write.

The same hoisting as the crate's where it is a matter of formulas (keys, caption projection, fused gate
matrices); the products are PyTorch's own.
"""

import json
import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

V, L, A, E, D, Z, N = 23, 128, 512, 300, 300, 150, 8


def load_safetensors(path):
    data = open(path, "rb").read()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        tensors[name] = torch.from_numpy(
            np.frombuffer(data[begin:end], np.float16).astype(np.float32).reshape(entry["shape"])
        )
    return tensors


class AlignDraw(nn.Module):
    """Attention to words or to encoder states, whichever the shapes say."""

    def __init__(self, tensors=None, words_attended=False, side=60):
        super().__init__()
        self.side = side
        shapes = dict(
            caption_forward_input=(V, 4 * L), caption_forward_recurrent=(L, 4 * L), caption_forward_bias=(4 * L,),
            caption_backward_input=(V, 4 * L), caption_backward_recurrent=(L, 4 * L), caption_backward_bias=(4 * L,),
            caption_initial_hidden=(L,), align_key=(2 * L, A), align_query=(D, A), align_bias=(A,), align_score=(A,),
            inference_input=(2 * N * N + D, 4 * E), inference_recurrent=(E, 4 * E), inference_bias=(4 * E,),
            inference_initial_hidden=(E,), posterior_mean=(E, Z), posterior_mean_bias=(Z,), posterior_log_std=(E, Z),
            posterior_log_std_bias=(Z,), prior=(D, 2 * Z), prior_bias=(2 * Z,),
            generative_caption=(V if words_attended else 2 * L, 4 * D), generative_latent=(Z, 4 * D),
            generative_recurrent=(D, 4 * D), generative_bias=(4 * D,), generative_initial_hidden=(D,),
            read_window=(D, 5), read_window_bias=(5,), write_window=(D, 5), write_window_bias=(5,),
            write_patch=(D, N * N), write_patch_bias=(N * N,), initial_canvas=(1, side, side),
        )
        for name, shape in shapes.items():
            value = tensors[name] if tensors else torch.randn(shape) * 0.01
            self.register_parameter(name, nn.Parameter(value.clone()))
        offsets = torch.arange(N, dtype=torch.float32) - (N - 1) / 2
        self.register_buffer("offsets", offsets)
        self.register_buffer("pixels", torch.arange(side, dtype=torch.float32))

    @staticmethod
    def lstm(gates, cell):
        i, f, g, o = gates.chunk(4, dim=1)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(cell), cell

    def encode(self, ids):
        batch, words = ids.shape
        halves = []
        for name in ("forward", "backward"):
            inputs = getattr(self, f"caption_{name}_input")[ids] + getattr(self, f"caption_{name}_bias")
            recurrent = getattr(self, f"caption_{name}_recurrent")
            hidden = self.caption_initial_hidden.expand(batch, L)
            cell = torch.zeros_like(hidden)
            states = [None] * words
            for j in range(words) if name == "forward" else reversed(range(words)):
                hidden, cell = self.lstm(inputs[:, j] + hidden @ recurrent, cell)
                states[j] = hidden
            halves.append(torch.stack(states, 1))
        h = torch.cat(halves, 2)
        attended = self.generative_caption[ids] if self.generative_caption.shape[0] == V else h @ self.generative_caption
        return h @ self.align_key + self.align_bias, attended

    def banks(self, raw):
        gx, gy, log_stride, log_var, log_gamma = raw.unbind(1)
        stride = (self.side - 1) / (N - 1) * torch.exp(log_stride)
        var = torch.exp(log_var)

        def bank(g):
            mean = ((self.side + 1) / 2 * (g + 1) - 1)[:, None] + stride[:, None] * self.offsets
            f = torch.exp(-((self.pixels - mean[:, :, None]) ** 2) / (2 * var[:, None, None]))
            return f / (f.sum(2, keepdim=True) + 1e-4)

        return bank(gx), bank(gy), torch.exp(log_gamma)[:, None]

    def step(self, keys, values, hidden, cell, z):
        energy = torch.tanh(keys + (hidden @ self.align_query)[:, None]) @ self.align_score
        alpha = torch.softmax(energy, 1)
        attended = (alpha[:, :, None] * values).sum(1)
        gates = torch.addmm(self.generative_bias, z, self.generative_latent) + attended
        hidden, cell = self.lstm(gates + hidden @ self.generative_recurrent, cell)
        fx, fy, gamma = self.banks(torch.addmm(self.write_window_bias, hidden, self.write_window))
        patch = torch.addmm(self.write_patch_bias, hidden, self.write_patch).view(-1, N, N)
        write = torch.bmm(fy.transpose(1, 2), torch.bmm(patch, fx)) / gamma[:, :, None]
        prior = torch.tanh(torch.addmm(self.prior_bias, hidden, self.prior))
        return hidden, cell, prior, write

    def bound(self, ids, x, noise):
        """Mean negative bound: x [batch, side, side], noise [T, batch, Z]."""
        batch = ids.shape[0]
        keys, values = self.encode(ids)
        hidden = self.generative_initial_hidden.expand(batch, D)
        cell = torch.zeros_like(hidden)
        enc = self.inference_initial_hidden.expand(batch, E)
        enc_cell = torch.zeros_like(enc)
        canvas = self.initial_canvas.expand(batch, self.side, self.side)
        mu_p = log_p = torch.zeros(batch, Z)
        kl = 0
        for t in range(noise.shape[0]):
            fx, fy, gamma = self.banks(torch.addmm(self.read_window_bias, hidden, self.read_window))
            images = torch.stack([x, x - torch.sigmoid(canvas)], 1)
            read = fy[:, None] @ images @ fx[:, None].transpose(2, 3)
            glimpse = torch.cat([gamma * read.flatten(1), hidden], 1)
            gates = torch.addmm(self.inference_bias, glimpse, self.inference_input)
            enc, enc_cell = self.lstm(gates + enc @ self.inference_recurrent, enc_cell)
            mu = torch.addmm(self.posterior_mean_bias, enc, self.posterior_mean)
            log = 0.5 * torch.addmm(self.posterior_log_std_bias, enc, self.posterior_log_std)
            kl = kl + 0.5 * (((mu - mu_p) ** 2 + torch.exp(2 * log)) * torch.exp(-2 * log_p) - 1 - 2 * log + 2 * log_p).sum(1)
            hidden, cell, prior, write = self.step(keys, values, hidden, cell, mu + torch.exp(log) * noise[t])
            mu_p, log_p = prior.chunk(2, 1)
            canvas = canvas + write
        nats = F.binary_cross_entropy_with_logits(canvas, x, reduction="none").sum((1, 2))
        return (nats + kl).mean()

    def forward(self, ids, noise):
        """Paints: the image after every step, [T, batch, side, side]. noise [T, batch, Z]."""
        batch = ids.shape[0]
        keys, values = self.encode(ids)
        hidden = self.generative_initial_hidden.expand(batch, D)
        cell = torch.zeros(batch, D)
        canvas = self.initial_canvas.expand(batch, self.side, self.side)
        prior = torch.zeros(batch, 2 * Z)
        images = []
        for t in range(noise.shape[0]):
            mu_p, log_p = prior.chunk(2, 1)
            hidden, cell, prior, write = self.step(keys, values, hidden, cell, mu_p + torch.exp(log_p) * noise[t])
            canvas = canvas + write
            images.append(torch.sigmoid(canvas))
        return torch.stack(images)
