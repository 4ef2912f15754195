"""The page for what went wrong on our side: it comes even where nothing else works."""

import logging

from django.http import HttpRequest, HttpResponseServerError
from django.template import loader

from chat.tracing import here

# Where not even the template can be made: what it says, in all our languages.
LAST_WORDS = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Something went wrong · Engawa</title>
<h1>Something went wrong</h1>
<p>The fault is on our side. Please try again in a moment.</p>
<p lang="ja">こちらの不具合です。しばらくしてから、もう一度お試しください。</p>
<p lang="zh-Hans">这是我们这边的问题。请稍后再试。</p>
<p lang="zh-Hant">這是我們這邊的問題。請稍後再試。</p>
<p><code>%s</code></p>
<p><a href="/">Engawa</a></p>
</html>
"""

logger = logging.getLogger(__name__)


def server_error(request: HttpRequest) -> HttpResponseServerError:
    """Without a request, so that what is broken is asked for nothing. It names the id by which the log tells of it."""
    ident = here().request
    try:
        page = loader.get_template("500.html").render({"ident": ident})
    except Exception:
        logger.exception("not even the page for errors could be made")
        page = LAST_WORDS % ident
    return HttpResponseServerError(page)
