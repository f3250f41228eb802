"""ACL-GAN."""
