"""Searching in a room, for those who take part."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from chat import policies, search
from chat.errors import ChatError
from chat.limits import count_search
from chat.middleware import error_response, wants_json
from chat.pages import permalinks
from chat.views import PersonView


class SearchView(PersonView):
    """What was said in a room and is looked for, each with a link to its place."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        room, standing = self.room(slug)
        if slug != room.slug:
            query = request.META.get("QUERY_STRING")
            address = reverse("chat:search", args=[room.slug])
            return HttpResponseRedirect(f"{address}?{query}" if query else address)
        links = permalinks("chat:message", room)
        wanted = page = error = None
        try:
            wanted = search.wanted_of(request.GET)
            if not wanted.is_empty:
                count_search(self.me, self.me.network)
                page = search.search(room, wanted, sees_sealed=policies.sees_sealed(self.me, standing))
        except ChatError as found:
            if wants_json(request):
                return error_response(found)
            error = found
        if wants_json(request):
            answer = search.page_fields(room, page or search.NOTHING, links)
            return JsonResponse(answer, json_dumps_params={"ensure_ascii": False})
        context = search.page_context(room, wanted, page, links) | {"me": self.me, "error": error}
        response = render(request, "chat/search.html", context, status=error.status if error else 200)
        response["X-Robots-Tag"] = "noindex"
        return response
