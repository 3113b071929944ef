"""How candidates are told apart, on the page and in the report."""

__all__ = ["CANDIDATE_COLOURS", "DASHES"]

# After Okabe–Ito and Paul Tol, in tones that are seen on light and on dark; none of those that mark right and wrong pixels
# (`segdemo.inference.agreement.ERROR_KINDS`).
CANDIDATE_COLOURS = ("#2f86d1", "#d55e00", "#009e73", "#8a6fd8", "#b09a1c", "#8a939c")
# Beside the colours, for print and for every kind of colour vision: lengths of strokes and gaps in pixels, as SVG has them.
DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 2 1 2")
