"""People and their keys: routes, what is said to and by them, and their part of the OpenAPI document."""
