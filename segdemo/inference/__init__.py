"""The engine: where a network meets its weights, a picture and a device."""

from segdemo.inference.engine import Engine, shared_engine, warm_up
from segdemo.inference.labels import rethreshold

__all__ = ["Engine", "rethreshold", "shared_engine", "warm_up"]
