"""Machines for tests of packages: copies of this one, the packages themselves and a base image."""
