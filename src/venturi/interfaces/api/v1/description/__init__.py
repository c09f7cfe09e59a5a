"""What the OpenAPI document says of every operation that the server offers; a test holds it to the routes."""
