"""Settings from options, the environment and a configuration file, each turned into the Config of the component that it is for.

Nothing else reads the environment.
"""
