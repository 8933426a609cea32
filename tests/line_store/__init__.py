"""A store behind a network: lines of JSON over TCP, to prove the suite's faults on."""
