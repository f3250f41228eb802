"""Data sets: from an address, an archive or a folder to verified images."""
