"""What scripts say, in each language: Django's own catalogue for JavaScript, of our words alone, at an address that
changes with them."""

import gzip
from functools import cache
from hashlib import sha256

import brotli
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JavaScriptCatalog

DOMAIN = "djangojs"
SOURCE = "en"  # what scripts say without a catalogue
ENCODINGS = {"br": brotli.compress, "gzip": gzip.compress}  # the best first


class WordsView(JavaScriptCatalog):
    """A language's catalogue as a script. At the address that it has now it is kept for ever, at an older one not."""

    def get(self, request: HttpRequest, language: str, digest: str) -> HttpResponse:
        if language not in dict(settings.LANGUAGES) or language == SOURCE:
            raise Http404()
        encoding = next((one for one in ENCODINGS if one in request.headers.get("Accept-Encoding", "")), "")
        response = HttpResponse(compressed(language, encoding), content_type="text/javascript; charset=utf-8")
        if encoding:
            response["Content-Encoding"] = encoding
        patch_vary_headers(response, ["Accept-Encoding"])
        response.has_no_language = True  # but that of its address
        is_this = digest == digest_of(language)
        response["Cache-Control"] = "public, max-age=31536000, immutable" if is_this else "no-cache"
        return response

    def script(self, language: str) -> bytes:
        # Without Django's own words for the administration's scripts.
        self.translation = DjangoTranslation(language, domain=DOMAIN, localedirs=settings.LOCALE_PATHS)
        context = {"catalog": self.get_catalog(), "formats": {}, "plural": self.get_plural()}
        return self.render_to_response(context).content


@cache
def catalogue(language: str) -> bytes:
    return WordsView().script(language)


@cache
def compressed(language: str, encoding: str) -> bytes:
    """The catalogue as ``encoding`` has it, one of ENCODINGS; as it is without one."""
    return ENCODINGS.get(encoding, bytes)(catalogue(language))


@cache
def digest_of(language: str) -> str:
    return sha256(catalogue(language)).hexdigest()[:12]
