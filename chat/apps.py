from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = "Chat"

    def ready(self) -> None:
        from chat import signals  # noqa: F401 – connects its receivers


class ChatAdminConfig(AdminConfig):
    default_site = "chat.admin_site.SiteAdministration"
