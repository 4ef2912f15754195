"""Searching in a room, for anybody who may read it."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render

from chat import search
from chat.errors import ChatError
from chat.limits import count_search
from chat.middleware import error_response, wants_json
from chat.pages import permalinks
from feeds.reading import ReadView


class SearchView(ReadView):
    """The search page that knows no cookies."""

    def get(self, request: HttpRequest) -> HttpResponse:
        links = permalinks("feeds:message", self.room)
        wanted = page = error = None
        try:
            wanted = search.wanted_of(request.GET)
            if not wanted.is_empty:
                count_search(None, self.reader.network)
                page = search.search(self.room, wanted)
        except ChatError as found:
            if wants_json(request):
                return error_response(found)
            error = found
        if wants_json(request):
            answer = search.page_fields(self.room, page or search.NOTHING, links)
            return JsonResponse(answer, json_dumps_params={"ensure_ascii": False})
        context = search.page_context(self.room, wanted, page, links) | {"error": error}
        return render(request, "feeds/search.html", context, status=error.status if error else 200)

    def etag(self, request: HttpRequest, **rest: str) -> None:
        """None: to make one would take as long as the answer, which an index that is being made may change."""

    def mark(self, response: HttpResponseBase, etag: str | None) -> None:
        super().mark(response, etag)
        response["X-Robots-Tag"] = "noindex"
