"""The pages where people take part."""

from dataclasses import replace
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django_eventstream.utils import make_id

from chat import actions, errors, listing, meters, policies, posting, read_marks
from chat.accounts import remember_guest
from chat.addresses import network_of_request
from chat.answers import Held
from chat.errors import ChatError
from chat.events import encode, room_fields
from chat.identity import Identity, new_guest
from chat.limits import count_post
from chat.middleware import error_response, wants_json
from chat.mids import mid_as_written
from chat.models import Report, Room
from chat.pages import message_page, page_fields, page_size, permalinks, pinned_message
from chat.protocol import read_frame
from chat.queue import waiting_in
from chat.rights import rights_in
from chat.standing import Standing
from chat.text import canonical_slug
from chat.visitors import guest_of

ROOMS_ON_A_PAGE = 30
YOURS_AT_FIRST = 6  # of one's own rooms; the others have a page
MOST_READ_AT_ONCE = 500


class PersonView(View):
    """A view that knows who is there: an account, or a guest, who is given a name to keep at the first visit."""

    me: Identity

    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        guest = None
        network = network_of_request(request)
        if request.user.is_authenticated:
            self.me = replace(request.user.identity, network=network)
        else:
            self.me = guest_of(request.COOKIES, network) or (guest := new_guest(network=network))
        try:
            response = super().dispatch(request, *args, **kwargs)
        except Http404:
            if wants_json(request):
                return error_response(errors.RoomNotFound())
            raise
        if guest is not None and response.status_code < 400:
            remember_guest(response, guest)
        return response

    def room(self, slug: str) -> tuple[Room, Standing]:
        """The room at this address and how one stands in it. Raises ``Http404`` where there is none to be known, and
        ``Banned``."""
        canonical = canonical_slug(slug)
        room = Room.objects.filter(slug=canonical).first() if canonical else None
        try:
            return room, policies.require_readable(room, self.me)
        except errors.RoomNotFound:
            raise Http404() from None

    def count(self) -> None:
        """Count what they ask for like a post. Raises ``TooManyPosts``."""
        count_post(self.me)


class IndexView(PersonView):
    """The field to enter a room, and the rooms. Entering a name that nobody has used makes the room."""

    def get(self, request: HttpRequest) -> HttpResponse:
        response = self.page(request)
        if request.path_info == reverse("home") and not request.GET:
            # Anybody may find the place; which of its rooms may be found is for their owners to say, so what is said
            # in them is kept out of what is shown of this page (data-nosnippet).
            response.is_listed = True
            response["X-Robots-Tag"] = "noarchive"
        return response

    def post(self, request: HttpRequest) -> HttpResponse:
        if request.POST.get("action") == "read" and self.me.user_id is not None:
            read_marks.all_read(self.me, listing.latest_first(listing.yours(self.me))[:MOST_READ_AT_ONCE])
            return HttpResponseRedirect(reverse("chat:index"))
        name = request.POST.get("name", "")
        visibility = request.POST.get("visibility") or Room.Visibility.PUBLIC
        try:
            if visibility not in Room.Visibility.values:
                raise errors.InvalidQuery(_("A room is public, unlisted or private."))
            room, is_new = actions.create_room(self.me, name, visibility)
        except ChatError as error:
            if wants_json(request):
                return error_response(error)
            if isinstance(error, errors.RoomCreationClosed) and policies.may_create_with_account(self.me):
                return redirect_to_login(reverse("chat:index"))
            return self.page(request, name, visibility, error)
        if wants_json(request):
            fields = {"room": room.slug, "url": settings.PUBLIC_URL + reverse("chat:room", args=[room.slug])}
            return JsonResponse(fields, status=201 if is_new else 200)
        return HttpResponseRedirect(reverse("chat:room", args=[room.slug]))

    def page(
        self, request: HttpRequest, name: str = "", visibility: str = "", error: ChatError | None = None
    ) -> HttpResponse:
        query = request.GET.get("q", "").replace("\0", "").strip()[: listing.MAX_QUERY_CHARS]
        only_yours = "yours" in request.GET and self.me.user_id is not None
        yours, is_first = [], not (query or only_yours) and request.GET.get("page", "1") == "1"
        if query:
            rooms = listing.ordered(listing.found_by(Room.objects.listed_for(self.me), query))
        elif only_yours:
            rooms = listing.latest_first(listing.yours(self.me))
        else:
            rooms = listing.ordered(Room.objects.listed_for(self.me))
            if self.me.user_id is not None:
                mine = listing.latest_first(listing.yours(self.me))
                rooms = rooms.exclude(pk__in=listing.yours(self.me).values("pk"))
                yours = list(mine[: YOURS_AT_FIRST + 1]) if is_first else []
        page = Paginator(rooms, ROOMS_ON_A_PAGE).get_page(request.GET.get("page"))
        cards = listing.cards([*yours[:YOURS_AT_FIRST], *page], self.me)
        visibilities = Room.Visibility.choices
        if self.me.user_id is None:
            visibilities = [choice for choice in visibilities if policies.is_open(choice[0])]
        context = {
            "yours": cards[: len(yours[:YOURS_AT_FIRST])],
            "has_more_yours": len(yours) > YOURS_AT_FIRST,
            "has_unread": any(card.unread for card in cards),
            "rooms": cards[len(yours[:YOURS_AT_FIRST]) :],
            "page": page,
            "query": query,
            "only_yours": only_yours,
            "is_first": is_first,
            "asked": urlencode({"q": query} if query else {"yours": ""} if only_yours else {}),
            "most_query_chars": listing.MAX_QUERY_CHARS,
            "may_create": policies.may_create_rooms(self.me),
            "may_create_with_account": policies.may_create_with_account(self.me),
            "visibilities": visibilities,
            "visibility": visibility or Room.Visibility.PUBLIC,
            "name": name[:200],
            "error": error,
            "home_url": settings.PUBLIC_URL + reverse("home"),
        }
        return render(request, "chat/index.html", context, status=error.status if error else 200)


class RoomView(PersonView):
    """A room's page: its history, what happens now, and the composer."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        room, standing = self.room(slug)
        if slug != room.slug:
            return HttpResponseRedirect(reverse("chat:room", args=[room.slug]))
        return self.page(request, room, standing)

    def page(
        self,
        request: HttpRequest,
        room: Room,
        standing: Standing,
        draft: str = "",
        error: ChatError | None = None,
        around: str | None = None,
    ) -> HttpResponse:
        rights = rights_in(room, self.me, standing)
        before, after = request.GET.get("before"), request.GET.get("after")
        sees_sealed = policies.sees_sealed(self.me, standing)
        try:
            page = message_page(room, before, after=after, around=around, sees_sealed=sees_sealed)
        except (errors.InvalidQuery, errors.MessageNotFound):
            raise Http404() from None
        refusal = policies.refusal_to_post(room, self.me, standing, timezone.now())
        context = {
            **page.context(),
            "room": room,
            "me": self.me,
            "my_ids": self.me.ids,
            "role": standing.role,
            "may": rights.as_dict()["may"],
            "rights_json": encode(rights.as_dict()),
            "about_json": encode(room_fields(room)),
            "refusal": refusal,
            "reactions": " ".join(settings.REACTIONS),
            "reasons": Report.Reason.choices,
            "pinned_message": pinned_message(room),
            "waiting": waiting_in([room.pk])[room.pk] if rights.moderate else None,
            "is_open": policies.anyone_may_read(room),
            "may_embed": policies.may_embed(room),
            "page_path": reverse("chat:room", args=[room.slug]),
            "permalinks": permalinks("chat:message", room),
            "draft": draft,
            "error": error,
            "socket_path": f"/ws/chat/{quote(room.slug)}/",
            # Where no WebSocket can be opened: reading by this, writing by posting.
            "stream_url": f"/chat/{quote(room.slug)}/stream?lastEventId={quote(make_id({room.slug: page.head}))}",
            "post_url": reverse("chat:messages", args=[room.slug]),
            "max_text_chars": settings.MAX_TEXT_CHARS,
            "max_name_chars": settings.MAX_NAME_CHARS,
        }
        response = render(request, "chat/room.html", context, status=error.status if error else 200)
        response.is_listed = policies.may_be_indexed(room)
        return response


class MessageView(RoomView):
    """A room's page where one of its messages stands."""

    def get(self, request: HttpRequest, slug: str, mid: str) -> HttpResponse:
        room, standing = self.room(slug)
        written = mid_as_written(mid)
        if (slug, mid) != (room.slug, written):
            return HttpResponseRedirect(reverse("chat:message", args=[room.slug, written]))
        return self.page(request, room, standing, around=mid)


class MessagesView(RoomView):
    """A room's history as JSON, and posting without a WebSocket: the same action with the same key."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        room, standing = self.room(slug)
        before, limit = request.GET.get("before"), request.GET.get("limit", "")
        if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
            return HttpResponseRedirect(
                reverse("chat:room", args=[room.slug]) + (f"?before={quote(before)}" if before else "")
            )
        try:
            page = message_page(room, before, page_size(limit), sees_sealed=policies.sees_sealed(self.me, standing))
        except ChatError as error:
            return error_response(error)
        return JsonResponse(page_fields(room, page), json_dumps_params={"ensure_ascii": False})

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        room, standing = self.room(slug)
        form = request.POST
        try:
            with meters.http_post():
                if request.content_type == "application/json":
                    form = read_frame(request.body.decode(errors="replace"))
                text = form.get("message", "")
                self.count()
                posted = posting.post(self.me, room.pk, text, form.get("key") or None, form.get("reply_to") or None)
        except ChatError as error:
            if wants_json(request):
                return error_response(error)
            return self.page(request, room, standing, draft=form.get("message", ""), error=error)
        if isinstance(posted, Held):
            if wants_json(request):
                return JsonResponse({"held": True, "key": posted.key, "detail": str(posted.detail)}, status=202)
            messages.info(request, posted.detail)
            return HttpResponseRedirect(reverse("chat:room", args=[room.slug]))
        if self.me.user_id is not None:
            read_marks.write({(self.me.user_id, room.pk): posted.mid})  # who writes has read
        if wants_json(request):
            return JsonResponse({"mid": posted.mid, "key": posted.key, "id": posted.seq}, status=201)
        # Where no script goes to the end of the room, to what was just said.
        return HttpResponseRedirect(reverse("chat:room", args=[room.slug]) + f"#m-{posted.mid}")
