"""Identity and access: users in LDAP, tokens in Redis, roles in Kubernetes."""
