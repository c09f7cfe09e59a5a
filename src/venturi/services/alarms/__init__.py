"""What an operator should see to: alarms as rows, and the agents that report."""
