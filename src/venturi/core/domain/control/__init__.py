"""Values of the control plane: callers, tokens, revisions, and what a list is asked for."""
