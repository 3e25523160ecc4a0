"""The Kimi-VL network in plain PyTorch: MoonViT, projector and the Moonlight decoder."""
