"""S2iRuns of binaries: the binary goes with the run that was of it."""
