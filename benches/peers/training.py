"""Seconds of a training iteration in PyTorch: batch 100, T = 32, forward, backward, clip, Adam."""

import sys
import time

import torch

from model import V, Z, SIDE, T, AlignDraw

iterations, threads = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(1)
model = AlignDraw(words_attended=True)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
times = []
for i in range(iterations + 2):
    ids = torch.randint(0, V, (100, 12))
    x = torch.rand(100, SIDE, SIDE)
    begun = time.perf_counter()
    loss = model.bound(ids, x, torch.randn(T, 100, Z))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    for p in model.parameters():
        torch.nn.utils.clip_grad_norm_([p], 10)
    optimizer.step()
    loss.item()
    if i >= 2:
        times.append(time.perf_counter() - begun)
print(sorted(times)[len(times) // 2])
