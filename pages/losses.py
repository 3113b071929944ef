"""Losses: value and gradient of each, on curves, on spoiled masks, and in networks that train."""

from segdemo.ui.losses_page import show_losses_page

show_losses_page()
