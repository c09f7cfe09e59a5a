"""The store: labels, rules, observation points, tokens and leases in a database, with every revision of what is versioned."""
