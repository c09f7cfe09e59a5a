"""The metering API of OpenStack Networking, as its clients know it."""
