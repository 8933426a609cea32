"""What pytest passes over: a third party's tests are run by `unit/test_plugin_package.py`."""

collect_ignore = ["plugin_package"]
