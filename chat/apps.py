from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = _("Chat")

    def ready(self) -> None:
        from chat import signals  # noqa: F401 – connects its receivers

        post_migrate.connect(_enter_what_was_said, sender=self)


def _enter_what_was_said(using: str, verbosity: int, **rest: object) -> None:
    """Have searches find all messages, where the index is new, or was made with another secret. Not in a migration:
    the tables are only now as the models have them."""
    from tqdm import tqdm

    from chat import indexing, reindexing
    from chat.models import Message

    is_there = using == DEFAULT_DB_ALIAS and indexing.TABLE in connection.introspection.table_names()
    if is_there and not reindexing.is_complete():
        count = Message.objects.count()
        quiet = verbosity == 0 or count == 0
        with tqdm(total=count, unit=" messages", desc="Search index", mininterval=1, disable=quiet) as progress:
            reindexing.reindex(tell=progress.update)
