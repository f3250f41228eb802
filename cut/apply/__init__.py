"""Use of a trained generator: any folder of images, large images by tiles, export."""
