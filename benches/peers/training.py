"""Seconds of a training iteration in PyTorch: forward, backward, clip, Adam.

Usage: training.py <iterations> <threads> <steps> <batch> <side of the canvas>
"""

import sys
import time

import torch

from model import V, Z, AlignDraw

iterations, threads, steps, batch, side = map(int, sys.argv[1:])
torch.set_num_threads(threads)
torch.manual_seed(1)
model = AlignDraw(side=side)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
times = []
for i in range(iterations + 2):
    ids = torch.randint(0, V, (batch, 12))
    x = torch.rand(batch, side, side)
    begun = time.perf_counter()
    loss = model.bound(ids, x, torch.randn(steps, batch, Z))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    for p in model.parameters():
        torch.nn.utils.clip_grad_norm_([p], 10)
    optimizer.step()
    loss.item()
    if i >= 2:
        times.append(time.perf_counter() - begun)
print(sorted(times)[len(times) // 2])
