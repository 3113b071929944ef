"""Weights: what each network was trained on, how well it does, where it comes from."""

from segdemo.ui.weights_page import show_weights_page

show_weights_page()
