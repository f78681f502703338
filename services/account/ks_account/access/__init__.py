"""Who may do what: the caller's own rights, cluster roles of users, members of workspaces."""
