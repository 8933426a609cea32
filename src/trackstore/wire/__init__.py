"""MLflow's JSON: requests to values, values to replies, errors to statuses.

Field names, the forms of numbers, and error codes are those that the `mlflow` client sends and
expects.  A server handles HTTP around it, and a client of the same API can use it from the other
side.
"""
