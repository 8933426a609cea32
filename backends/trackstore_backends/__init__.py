"""The stores that come with trackstore, each reached by its entry point only."""
