"""Files, images, sizes, random streams and errors. This floor imports from no other."""
