"""The dashboard: pages for people, rendered by the server. They call the services, as the API does."""
