"""Segment: drop a picture, see what a trained network makes of it."""

from segdemo.ui.segment import show_segment_page

show_segment_page()
