"""S2iBinaries: files that images are built from, which lie in an object store."""
