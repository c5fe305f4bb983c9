"""The same step in PyTorch: you write the forward pass, autograd walks it backwards."""

import torch

x = torch.tensor([0.05, 0.10], dtype=torch.float64)
y = torch.tensor([0.01, 0.99], dtype=torch.float64)
hidden, output = (torch.nn.Linear(2, 2, dtype=torch.float64) for _ in range(2))
with torch.no_grad():
    hidden.weight.copy_(torch.tensor([[0.15, 0.20], [0.25, 0.30]], dtype=torch.float64))
    output.weight.copy_(torch.tensor([[0.40, 0.45], [0.50, 0.55]], dtype=torch.float64))
    hidden.bias.fill_(0.35)
    output.bias.fill_(0.60)
optimizer = torch.optim.SGD([hidden.weight, output.weight], lr=0.5)  # the biases are left out

a = torch.sigmoid(output(torch.sigmoid(hidden(x))))
loss = ((a - y) ** 2).sum() / 2

optimizer.zero_grad()
loss.backward()  # the whole backward pass
optimizer.step()
new_W = [hidden.weight.tolist(), output.weight.tolist()]
