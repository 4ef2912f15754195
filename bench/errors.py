class Failed(Exception):
    """A measurement that says nothing: its message is a sentence that says why."""
