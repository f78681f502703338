"""Who may speak with the pods of a workspace: WorkspaceNetworkPolicies to NetworkPolicies."""
