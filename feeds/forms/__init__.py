"""The forms of a stream, each made once for all who follow a room in it."""
