class Broken(Exception):
    """The files cannot be delivered as they are; it says why."""
