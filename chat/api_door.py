"""The way to the API for programs. What it is made with takes 10 MB: it is loaded when a program first comes."""

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt  # no cookie is read there, so nothing can be forged with one
@never_cache
def api(request: HttpRequest, path: str = "") -> HttpResponseBase:
    from chat.api import answer

    return answer(request, path)
