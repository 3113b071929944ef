"""Architectures: how each network is built, what it costs, and what it added to the one before."""

from segdemo.ui.architectures import show_architectures_page

show_architectures_page()
