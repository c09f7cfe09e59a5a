"""The client of a venturi server: HTTP requests, their answers, and the collections that a server keeps."""
