"""The whole network: pictures and tokens in, logits out."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from model.architecture.language import LanguageModel, default_positions
from model.architecture.projector import Projector
from model.architecture.vision import Grid, MoonViT
from model.config import KimiVLConfig


class KimiVL(nn.Module):
    """MoonViT, projector and decoder under the released checkpoints' tensor names."""

    def __init__(self, config: KimiVLConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_tower = MoonViT(config.vision)
        self.multi_modal_projector = Projector(config)
        self.language_model = LanguageModel(config.text)

    @property
    def device(self) -> torch.device:
        """Where the decoder computes."""
        return self.language_model.model.norm.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of activations and of the latent cache."""
        return self.language_model.model.norm.weight.dtype

    def encode_images(self, patches: Tensor, grids: Sequence[Grid]) -> list[Tensor]:
        """Encode packed patches ``(L, 3, p, p)`` of several images to features ``(tokens, hidden)`` each."""
        features = self.multi_modal_projector(self.vision_tower(patches, grids))
        return list(features.split([grid.tokens for grid in grids]))

    def embed(self, token_ids: Tensor, image_features: Tensor | None = None) -> Tensor:
        """Embed ``(T,)`` token ids, the media placeholders replaced in order by ``(n, hidden)`` features.

        Raises `ValueError` when the number of placeholders is not n.
        """
        x = self.language_model.embed(token_ids)
        if image_features is None:
            return x
        places = (token_ids == self.config.media_placeholder_token_id).to(x.device)
        count = int(places.sum())
        if count != image_features.shape[0]:
            raise ValueError(f"{count} media placeholders for {image_features.shape[0]} image features")
        return x.masked_scatter(places.unsqueeze(-1), image_features.to(x.dtype))

    def forward(self, token_ids: Tensor, patches: Tensor | None = None, grids: Sequence[Grid] = ()) -> Tensor:
        """Return float32 logits ``(T, vocabulary)`` for one sequence, without a cache."""
        features = None
        if patches is not None:
            features = torch.cat(self.encode_images(patches, grids))
        x = self.embed(token_ids, features)
        return self.language_model(x, default_positions(x))


def init_weights(model: nn.Module, seed: int, std: float = 0.02) -> None:
    """Fill every parameter in place: norms with ones, biases with zeros, the rest with seeded normals."""
    generators: dict[torch.device, torch.Generator] = {}
    for name, parameter in model.named_parameters():
        with torch.no_grad():
            if name.endswith("bias"):
                parameter.zero_()
            elif parameter.dim() == 1:
                parameter.fill_(1.0)
            else:
                device = parameter.device
                if device not in generators:
                    generators[device] = torch.Generator(device).manual_seed(seed)
                parameter.normal_(0.0, std, generator=generators[device])
