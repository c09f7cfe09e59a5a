"""The HTTP server: sockets, TLS, limits on connections, and a graceful stop."""
