"""Networks of a few given layers, each of them a stage: for fields and places that are worked out by hand."""

from collections.abc import Callable

from torch import Tensor, nn

from segdemo.types import Stage


class Layers(nn.Module):
    """Layers in a row, each of them a stage."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, image: Tensor) -> Tensor:
        for layer in self.layers:
            image = layer(image)
        return image

    def stages(self) -> list[Stage]:
        return [Stage(str(i), "encoder", f"layers.{i}") for i in range(len(self.layers))]


class Lambda(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)
