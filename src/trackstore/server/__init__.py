"""The tracking server: MLflow's REST API over a `Tracker`.

Routes decode, call the tracker or an artifact folder, and encode; nothing here knows a store.
"""
