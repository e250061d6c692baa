"""The schema as it is now, one module a capability. Migrations bring a database here; a test holds the two together."""
