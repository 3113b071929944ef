"""Training: a network on the visitor's own pictures, from data set to weights in the picker."""

from segdemo.ui.training_page import show_training_page

show_training_page()
