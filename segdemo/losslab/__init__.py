"""The loss lab: loss curves, spoiled masks, gradients and sweeps, as arrays."""
