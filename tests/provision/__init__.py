"""What tests run against: one module for each kind of server."""
