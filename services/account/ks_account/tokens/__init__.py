"""API tokens: what a user gives to a program, and takes back."""
