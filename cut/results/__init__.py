"""What runs measured, compared with each other and with published numbers."""
