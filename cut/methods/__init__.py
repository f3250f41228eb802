"""What a method is, and how the benchmark finds them."""
