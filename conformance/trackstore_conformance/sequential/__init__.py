"""Generated sequences of calls, made on a store and on a model, which must come out alike."""
