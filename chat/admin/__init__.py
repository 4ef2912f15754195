"""Django's admin for whoever runs the site.

What others must hear of goes through the same actions as everywhere (``chat.governing``, ``chat.administration``,
``chat.review``), so that it reaches every log, every process and every screen. No secret, hash or address is shown.
"""

from chat.admin import held, messages, people, programs, records, reports, rooms, rules, sanctions
from chat.admin.names import name_things

__all__ = ["held", "messages", "people", "programs", "records", "reports", "rooms", "rules", "sanctions"]

name_things()
