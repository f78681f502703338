"""Who asks: the token of a request, what it says, and whether its session still lives."""
