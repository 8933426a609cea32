"""Generated programs of several clients: run at once, recorded, judged, made smaller and drawn."""
