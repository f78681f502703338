"""Operations on what runs: running a job again, draining a node."""
