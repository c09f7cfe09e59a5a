"""What tests of several folders share: the programs they run and the sources they read."""
