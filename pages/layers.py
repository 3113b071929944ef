"""Layers: what convolution, pooling and up-sampling do, cell by cell."""

from segdemo.ui.layers_page import show_layers_page

show_layers_page()
