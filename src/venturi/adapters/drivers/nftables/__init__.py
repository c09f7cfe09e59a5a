"""The nftables driver: class pairs counted by the elements of a set, spoken to over netlink."""
