"""segdemo makes semantic segmentation visible: real networks, their stages, losses and metrics, on the visitor's pictures."""
