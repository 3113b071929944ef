"""Feature maps: what every stage of a network computes of a picture, and what it matters for."""

from segdemo.ui.features_page import show_features_page

show_features_page()
