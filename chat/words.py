"""What scripts say, in each language: Django's own catalogue for JavaScript, of our words alone, at an address that
changes with them."""

from functools import cache
from hashlib import sha256

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JavaScriptCatalog

DOMAIN = "djangojs"
SOURCE = "en"  # what scripts say without a catalogue


class WordsView(JavaScriptCatalog):
    """A language's catalogue as a script. At the address that it has now it is kept for ever, at an older one not."""

    def get(self, request: HttpRequest, language: str, digest: str) -> HttpResponse:
        if language not in dict(settings.LANGUAGES) or language == SOURCE:
            raise Http404()
        script = catalogue(language)
        response = HttpResponse(script, content_type="text/javascript; charset=utf-8")
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
def digest_of(language: str) -> str:
    return sha256(catalogue(language)).hexdigest()[:12]
