"""The parts of plans: their form, their making, their compression, and waiting for the next one."""
