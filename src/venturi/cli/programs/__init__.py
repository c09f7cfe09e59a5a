"""Commands that run until they are told to end, and what tells where they can."""
