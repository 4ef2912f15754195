"""Engawa measured beside other systems, all in one run on one machine. ``bin/bench`` starts it."""
