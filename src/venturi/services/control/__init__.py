"""Use cases of the control plane and their transactions."""
