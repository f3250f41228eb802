"""Networks, losses and the image pool that methods share."""
