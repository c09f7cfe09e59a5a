"""Making a server's labels and rules equal to rules files: ``venturi apply``."""
