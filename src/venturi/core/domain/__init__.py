"""The values that every part of venturi shares, valid by construction."""
