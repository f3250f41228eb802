"""FID's Inception network: weights, network and pooled features."""
