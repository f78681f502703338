"""The history of a Job's runs, kept through its deletion and re-creation."""
