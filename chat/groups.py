"""Group names of the channel layer, made here and nowhere else.

From primary keys: layers take ASCII letters, digits, hyphens, underscores and full stops only, and slugs may
be in any script.
"""

SITE_GROUP = "site"


def room_group(room_id: int) -> str:
    return f"room.{room_id}"
