"""venturi: exact, durable network traffic metering by label."""

__version__ = "0.1.0"
