"""Training and distillation: data, degradation, losses, the loop, several processes."""
