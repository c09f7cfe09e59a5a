"""The OpenAPI document: what routes declare for it, how the framework makes it of them, and its pages."""
