"""The Go toolchain, and the one Go program that localkube builds with it."""
