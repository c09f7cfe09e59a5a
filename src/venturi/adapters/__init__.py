"""The outside world: files, sockets, stores and drivers, behind the services that use them."""
