from django.contrib.admin.apps import AdminConfig


class ChatAdminConfig(AdminConfig):
    """Apart from ``chat.apps``: what has no pages needs nothing of the admin."""

    default_site = "chat.admin_site.SiteAdministration"
