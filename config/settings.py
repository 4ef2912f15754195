"""Django's settings, every one of which that a site may change comes from the environment.

``.env.example`` says what each variable means; ``docs/settings.md`` says more. With nothing set this is the
laptop: SQLite, an in-memory channel layer, one process, a secret of its own in ``var/``.
"""

import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import databases
from config.env import Environment, own_secret
from config.role import ALL, ROLES, WEBSOCKET

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
env = Environment(dotenv=BASE_DIR / ".env")
_ORIGIN = re.compile(r"https?://([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")

# Where this site is ---------------------------------------------------------------------------------------

ROLE = env.choice("ROLE", ALL, ROLES)
DEBUG = env.flag("DEBUG", False)
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000, least=1, most=65535)
WORKERS = env.number("WORKERS", 1, least=1, most=64)

_NAMELESS_HOSTS = {"0.0.0.0", "::", ""}  # noqa: S104 – what one listens on, never what one visits
_visited_host = "localhost" if HOST in _NAMELESS_HOSTS else f"[{HOST}]" if ":" in HOST else HOST
PUBLIC_URL = env.text("PUBLIC_URL", f"http://{_visited_host}:{PORT}").rstrip("/")
try:
    _public = urlsplit(PUBLIC_URL)
    _public.port  # noqa: B018 – raises where it is none
except ValueError as error:
    raise ImproperlyConfigured(f"PUBLIC_URL: {PUBLIC_URL!r} is no address ({error})") from error
if not _ORIGIN.fullmatch(PUBLIC_URL):
    raise ImproperlyConfigured(f"PUBLIC_URL: {PUBLIC_URL!r} is not like https://chat.example.org (no path after it)")

_LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
_public_host = f"[{_public.hostname}]" if ":" in _public.hostname else _public.hostname
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS", list(dict.fromkeys([_public_host] + (_LOOPBACK if DEBUG or _public_host in _LOOPBACK else [])))
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# Where it keeps things ------------------------------------------------------------------------------------

_database = env.database("DATABASE_URL")
if _database is None:
    try:
        VAR_DIR.mkdir(exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"DATABASE_URL: not set, and {VAR_DIR} cannot be made ({error.strerror})") from error
DATABASES = {"default": _database or databases.in_file(VAR_DIR / "db.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Threads and processes meet in the test database as they do in the real one: in a file.
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
DATABASE_THREADS = env.number("DATABASE_THREADS", 4, least=1, most=64)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URLS = [url for url in map(str.strip, env.secret("REDIS_URL").split(",")) if url]
for _url in REDIS_URLS:
    if urlsplit(_url).scheme not in ("redis", "rediss", "unix"):
        raise ImproperlyConfigured("REDIS_URL: not like redis://host:6379/0 (several are separated by commas)")
if ROLE == WEBSOCKET and not REDIS_URLS:
    raise ImproperlyConfigured(
        "REDIS_URL: the role websocket is one of several processes, which need a Redis between them. Set it, such as "
        "redis://localhost:6379/0, or let one process do everything: bin/start."
    )
if REDIS_URLS:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": REDIS_URLS, "prefix": "engawa"},
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

SECRET_KEY = env.secret("SECRET_KEY")
if not SECRET_KEY:
    if _database is not None:
        raise ImproperlyConfigured(
            "SECRET_KEY: set it, or SECRET_KEY_FILE. With DATABASE_URL set there may be several processes, "
            "and all of them must share one secret."
        )
    SECRET_KEY = own_secret(VAR_DIR / "secret_key")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("SECRET_KEY: shorter than 32 characters; make one with: openssl rand -base64 48")

# Who may do what, and how much ----------------------------------------------------------------------------

ROOM_CREATION = env.choice("ROOM_CREATION", "everyone", ("everyone", "signed-in", "staff"))
MAX_TEXT_CHARS = env.number("MAX_TEXT_CHARS", 4000, least=1, most=20_000)
MAX_NAME_CHARS = env.number("MAX_NAME_CHARS", 32, least=1, most=64)
RESERVED_NAMES = env.words("RESERVED_NAMES", [])
MAX_FRAME_BYTES = env.number("MAX_FRAME_BYTES", 64 * 1024, least=1024, most=512 * 1024)
REACTIONS = env.words("REACTIONS", ["👍", "❤️", "😂", "😮", "😢", "🙏"])
MAX_HELD = env.number("MAX_HELD", 50, least=1, most=10_000)
EDIT_MINUTES = env.number("EDIT_MINUTES", 1440, least=0, most=525_600)
NAME_MINUTES = env.number("NAME_MINUTES", 15, least=1, most=1440)
MAX_INVITATIONS = env.number("MAX_INVITATIONS", 20, least=1, most=1000)
MAX_INVITATION_DAYS = env.number("MAX_INVITATION_DAYS", 30, least=7, most=365)
NETWORK_DAYS = env.number("NETWORK_DAYS", 30, least=0, most=3650)
RECORD_DAYS = env.number("RECORD_DAYS", 365, least=0, most=36_500)
# How much one author, connection, address or room may take; 0 turns a limit off.
POSTS_PER_MINUTE = env.number("POSTS_PER_MINUTE", 300, least=0, most=100_000)
GUEST_POSTS_PER_MINUTE = env.number("GUEST_POSTS_PER_MINUTE", 1200, least=0, most=100_000)
REPORTS_PER_HOUR = env.number("REPORTS_PER_HOUR", 20, least=0, most=100_000)
SEARCHES_PER_MINUTE = env.number("SEARCHES_PER_MINUTE", 60, least=0, most=100_000)
FRAMES_PER_SECOND = env.number("FRAMES_PER_SECOND", 50, least=0, most=10_000)
# Who guesses passwords, makes accounts, has links to new passwords sent.
WRONG_PASSWORDS = env.number("WRONG_PASSWORDS", 5, least=0, most=1000)
WRONG_PASSWORD_WAIT_SECONDS = env.number("WRONG_PASSWORD_WAIT_SECONDS", 900, least=5, most=24 * 3600)
WRONG_PASSWORDS_PER_HOUR = env.number("WRONG_PASSWORDS_PER_HOUR", 100, least=0, most=100_000)
SIGN_UPS_PER_HOUR = env.number("SIGN_UPS_PER_HOUR", 20, least=0, most=100_000)
PASSWORD_RESETS_PER_HOUR = env.number("PASSWORD_RESETS_PER_HOUR", 20, least=0, most=100_000)
CONNECTIONS_PER_ADDRESS = env.number("CONNECTIONS_PER_ADDRESS", 200, least=0, most=1_000_000)
STREAMS_PER_ADDRESS = env.number("STREAMS_PER_ADDRESS", 500, least=0, most=1_000_000)
EXPORTS_PER_ADDRESS = env.number("EXPORTS_PER_ADDRESS", 5, least=0, most=1_000_000)
CONNECTIONS_PER_ROOM = env.number("CONNECTIONS_PER_ROOM", 0, least=0, most=10_000_000)
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES", [])
MAX_HISTORY = env.number("MAX_HISTORY", 200, least=1, most=1000)
MAX_STREAM_ROOMS = env.number("MAX_STREAM_ROOMS", 20, least=1, most=100)
# Programs: how many of them a room may have, and how those that we call are called.
MAX_TOKENS = env.number("MAX_TOKENS", 20, least=0, most=1000)
MAX_VIEW_TOKENS = env.number("MAX_VIEW_TOKENS", 50, least=0, most=1000)
VIEW_TICKETS_PER_MINUTE = env.number("VIEW_TICKETS_PER_MINUTE", 600, least=0, most=100_000)
VIEW_TICKET_SECONDS = env.number("VIEW_TICKET_SECONDS", 300, least=10, most=300)
MAX_WEBHOOKS = env.number("MAX_WEBHOOKS", 5, least=0, most=100)
WEBHOOK_SECONDS = env.number("WEBHOOK_SECONDS", 10, least=1, most=60)
WEBHOOK_RETRY_SECONDS = env.number("WEBHOOK_RETRY_SECONDS", 5, least=1, most=3600)
WEBHOOK_FAILURES = env.number("WEBHOOK_FAILURES", 20, least=1, most=1000)
WEBHOOK_PRIVATE_ADDRESSES = env.flag("WEBHOOK_PRIVATE_ADDRESSES", False)
PAGE_MESSAGES = env.number("PAGE_MESSAGES", 50, least=1, most=500)
HEARTBEAT_SECONDS = env.number("HEARTBEAT_SECONDS", 25, least=1, most=3600)
STREAM_COMMENT_SECONDS = env.number("STREAM_COMMENT_SECONDS", 15, least=1, most=3600)
STREAM_RETRY_MS = env.number("STREAM_RETRY_MS", 3000, least=100, most=3_600_000)
RING_EVENTS = env.number("RING_EVENTS", 1000, least=10, most=100_000)
RING_BYTES = env.number("RING_BYTES", 4 * 1024 * 1024, least=64 * 1024, most=1024**3)
ROTATE_SECONDS = env.number("ROTATE_SECONDS", 6 * 3600, least=0, most=24 * 3600)
DRAIN_SECONDS = env.number("DRAIN_SECONDS", 10, least=1, most=600)
SLOW_SECONDS = env.number("SLOW_SECONDS", 20, least=1, most=600)
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * MAX_FRAME_BYTES  # a posted form; percent-encoding may triple a text

# What is done regularly -----------------------------------------------------------------------------------

SCHEDULER = env.flag("SCHEDULER", True)
DAILY_HOUR = env.number("DAILY_HOUR", 4, least=0, most=23)
BACKUP_FOLDER = env.text("BACKUP_FOLDER")
BACKUP_HOURS = env.number("BACKUP_HOURS", 24, least=1, most=8760)
BACKUPS_KEPT = env.number("BACKUPS_KEPT", 7, least=1, most=10_000)

# Django ---------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config.apps.ConfigConfig",  # before Daphne: it installs the reactor
    "daphne",  # before staticfiles: runserver is Daphne
    "chat.apps.ChatConfig",
    "feeds.apps.FeedsConfig",
    "chat.admin_app.ChatAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "servestatic",
    "channels",
    "csp",
    "django_eventstream",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "feeds.middleware.UnlistedMiddleware",
    "feeds.middleware.CookielessMiddleware",
    "csp.middleware.CSPMiddleware",
    "chat.language_views.LanguageMiddleware",  # beneath what takes cookies away, above all that says anything
    "chat.middleware.ApiMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "chat.middleware.ErrorMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["config.templatetags.modules"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

AUTH_USER_MODEL = "chat.User"
PASSWORD_HASHERS = [
    "chat.hashing.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # as kept before; made anew at the next sign-in
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "chat:index"
LOGOUT_REDIRECT_URL = "chat:index"

# Accounts of elsewhere: a provider of OpenID Connect. Where none is named, nothing of it is there.
OIDC_ISSUER = env.text("OIDC_ISSUER")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env.secret("OIDC_CLIENT_SECRET")
OIDC_NAME = env.text("OIDC_NAME") or urlsplit(OIDC_ISSUER).hostname or ""
if OIDC_ISSUER and not re.fullmatch(r"(https://|http://(localhost|127\.0\.0\.1|\[::1\])[:/]?)[^?#]*", OIDC_ISSUER):
    raise ImproperlyConfigured(f"OIDC_ISSUER: {OIDC_ISSUER!r} is not like https://accounts.example.org")
for _name, _value in (("OIDC_CLIENT_ID", OIDC_CLIENT_ID), ("OIDC_CLIENT_SECRET", OIDC_CLIENT_SECRET)):
    if bool(OIDC_ISSUER) != bool(_value):
        raise ImproperlyConfigured(f"{_name} and OIDC_ISSUER: set both, or neither.")

# E-mail is printed where nothing is said about it; not where others may read what is printed.
_printed = "django.core.mail.backends.console.EmailBackend"
_unsent = {"EMAIL_BACKEND": "chat.mails.Unsent" if _public.scheme == "https" else _printed}
_email = env.email("EMAIL_URL") or _unsent
globals().update(_email)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"engawa@{_public.hostname}")

LANGUAGES = [("en", "English"), ("ja", "日本語"), ("zh-hans", "简体中文"), ("zh-hant", "繁體中文")]
LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "en", tuple(code for code, _ in LANGUAGES))
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")
USE_TZ = True
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_FILES = env.choice("STATIC_FILES", "sources" if DEBUG else "built", ("built", "sources"))
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.delivery.DeliveryStorage"},
}
SERVESTATIC_USE_FINDERS = True  # under their own names files are served from where they lie
SERVESTATIC_USE_STATIC_ROOT = STATIC_FILES == "built"  # under names with a hash, what was made of them
SERVESTATIC_USE_MANIFEST = False
SERVESTATIC_KEEP_ONLY_HASHED_FILES = True
SERVESTATIC_AUTOREFRESH = DEBUG
SERVESTATIC_MAX_AGE = 0  # names that carry no hash: browsers ask again and are told 304
SERVESTATIC_ALLOW_ALL_ORIGINS = False

# Security -------------------------------------------------------------------------------------------------

_secure = _public.scheme == "https"
HSTS_SECONDS = env.number("HSTS_SECONDS", 365 * 24 * 3600, least=0, most=10 * 365 * 24 * 3600)
SECURE_HSTS_SECONDS = HSTS_SECONDS if _secure else 0  # over http browsers must not heed it
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # hosts below ours, and
    "security.W021",  # the browsers' own list, which is for a whole domain: theirs to decide whose domain it is
    "security.W008",  # http is led to https by config.guard, where a proxy that we trust says that it was http
]
# A browser takes a cookie of such a name over TLS only, for this host alone, and from no host below or beside it.
_prefix = "__Host-" if _secure else ""
SESSION_COOKIE_NAME = f"{_prefix}sessionid"
CSRF_COOKIE_NAME = f"{_prefix}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _secure
SESSION_ENGINE = "chat.sessions"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True  # scripts read the token in the page
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
GUEST_COOKIE_NAME = f"{_prefix}guest"
LANGUAGE_COOKIE_NAME = f"{_prefix}language"
KNOWN_COOKIE_NAME = f"{_prefix}known"
KNOWN_COOKIE_SECONDS = 365 * 24 * 3600
GUEST_COOKIE_SECONDS = 365 * 24 * 3600
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-src": ["'self'"],
        "manifest-src": ["'self'"],
        "worker-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# Streams: django-eventstream's requests, channels and storage are ours (feeds.eventstream) ------------------

EVENTSTREAM_CHANNELMANAGER_CLASS = "feeds.eventstream.RoomChannelManager"
EVENTSTREAM_STORAGE_CLASS = "feeds.eventstream.LogStorage"
EVENTSTREAM_ALLOW_ORIGIN = "*"
_grip_url = env.secret("GRIP_URL")
if _grip_url:
    if not all("key=" in each for each in _grip_url.split(",")):
        raise ImproperlyConfigured(
            "GRIP_URL: it has no key, so anyone could pretend to be the proxy. Write it as "
            "http://host:5561?iss=engawa&key=base64:… with the key that Pushpin signs with."
        )
    GRIP_URL = _grip_url
GRIP_ASK_SECONDS = env.number("GRIP_ASK_SECONDS", 600, least=10, most=24 * 3600)

# Metrics --------------------------------------------------------------------------------------------------

METRICS_PORT = env.number("METRICS_PORT", 0, least=0, most=65_472)  # the last of 64 workers has the last port
METRICS_HOST = env.text("METRICS_HOST", "127.0.0.1").strip("[]")
try:
    ip_address(METRICS_HOST)
except ValueError as error:
    raise ImproperlyConfigured(f"METRICS_HOST: {METRICS_HOST!r} is no address such as 127.0.0.1 or ::") from error
METRICS_TOKEN = env.secret("METRICS_TOKEN")
if METRICS_TOKEN and len(METRICS_TOKEN) < 16:
    raise ImproperlyConfigured("METRICS_TOKEN: shorter than 16 characters; make one with: openssl rand -base64 32")

# Logs -----------------------------------------------------------------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", "info", ("debug", "info", "warning", "error")).upper()
LOG_FORMAT = env.choice("LOG_FORMAT", "line", ("line", "json"))
ACCESS_LOG = env.flag("ACCESS_LOG", False)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "config.logs.Line", "fmt": "{asctime} {levelname:<7} {name}{place}: {message}", "style": "{"},
        "json": {"()": "config.logs.JsonLine", "role": ROLE},
    },
    "filters": {"one_line": {"()": "config.logs.OneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["one_line"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        **{name: {"level": LOG_LEVEL} for name in ("chat", "feeds", "config")},
        "config.access": {"level": "INFO"},  # asked for by a setting of its own
        # Django's own handlers go: they would say everything again in their own form, secrets and all.
        "django": {},
        "django.server": {"propagate": True},
    },
}

# The role without pages -----------------------------------------------------------------------------------

if ROLE == WEBSOCKET:
    # What sockets need, and no more. Their tables are the same in every role; management commands know all (manage.py).
    INSTALLED_APPS = [
        "config.apps.ConfigConfig",
        "chat.apps.ChatConfig",
        *(["feeds.apps.FeedsConfig"] if _grip_url else []),  # publishes what is committed here to the proxy
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
    ]
    MIDDLEWARE, TEMPLATES = [], []
    ASGI_APPLICATION = "config.asgi_websocket.application"
    del ROOT_URLCONF  # whatever asks for the address of a page here fails, and does not bring in all of them
