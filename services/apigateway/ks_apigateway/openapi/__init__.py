"""What the platform serves: the documents of its services as one, and a page to read them."""
