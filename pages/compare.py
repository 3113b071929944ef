"""Compare: several networks on the same pictures, and which of them to trust."""

from segdemo.ui.compare_page import show_compare_page

show_compare_page()
