"""Files, images, sizes, random streams and errors: used by every floor, using none."""
