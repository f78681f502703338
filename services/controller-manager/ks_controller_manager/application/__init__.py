"""Applications: what they consist of, whether it is ready, and what goes with them."""
