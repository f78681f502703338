"""The front door: authenticates, authorises and proxies every request."""
