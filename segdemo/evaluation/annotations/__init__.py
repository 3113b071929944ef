"""Label maps as annotation tools have them, there and back: objects, outlines, run lengths, COCO and GeoJSON."""
