"""django-eventstream's own view, to compare with."""

SECRET_KEY = "for the comparison alone"  # noqa: S105 – it guards nothing
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django_eventstream",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
ROOT_URLCONF = "bench.eventstream.urls"
ASGI_APPLICATION = "bench.eventstream.asgi.application"
