"""What an agent does with plan, kernel and spool, so that every packet is recorded once or lies within a gap."""
