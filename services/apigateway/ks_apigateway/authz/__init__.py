"""Who may do what, where no service behind the gateway decides it itself."""
