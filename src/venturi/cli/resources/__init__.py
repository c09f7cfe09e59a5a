"""Commands on the resources that a server keeps, a file for each sort."""
