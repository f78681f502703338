"""The data plane: bytes of a client to a request, bytes of an upstream to its answer, and nothing about
users.
"""
