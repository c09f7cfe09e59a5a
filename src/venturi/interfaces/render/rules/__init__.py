"""What commands say about rules: what is wrong in rules files, and why a label counts a packet."""
