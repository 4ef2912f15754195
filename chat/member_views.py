"""Who belongs to a room: the page of its members, and the one that an invitation leads to."""

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, Value, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from chat import errors, governing, invitations, policies
from chat.errors import ChatError
from chat.hues import hue_of
from chat.invitations import MAX_USES
from chat.models import Invitation, Membership, Room
from chat.queue import waiting_in
from chat.standing import NO_ROLE, Standing
from chat.views import PersonView

MEMBERS_ON_A_PAGE = 100
_BY_RANK = Case(*(When(role=role, then=Value(place)) for place, role in enumerate(Membership.Role.values)))


class MembersView(PersonView):
    """Who belongs to a room, and what each may do about it: see, leave, remove, invite, give roles."""

    def room(self, slug: str) -> tuple[Room, Standing]:
        room, standing = super().room(slug)
        if standing.role == NO_ROLE:
            raise Http404()
        return room, standing

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        room, standing = self.room(slug)
        return self.page(request, room, standing)

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        room, standing = self.room(slug)
        act = {
            "role": self.give_role,
            "remove": self.remove,
            "leave": self.leave,
            "invite": self.invite,
            "revoke": self.revoke,
        }.get(request.POST.get("action", ""))
        if act is None:
            return self.page(request, room, standing, errors.InvalidQuery())
        try:
            self.count()  # who comes and goes has everybody in the room asked about anew
            return act(request, room, standing)
        except ChatError as error:
            return self.page(request, room, standing, error)

    def give_role(self, request: HttpRequest, room: Room, standing: Standing) -> HttpResponse:
        governing.set_role(self.me, room.pk, _username(request), request.POST.get("role", ""))
        return self.done(request, room, _("%(name)s has another role now.") % {"name": _username(request)})

    def remove(self, request: HttpRequest, room: Room, standing: Standing) -> HttpResponse:
        governing.set_role(self.me, room.pk, _username(request), None)
        return self.done(request, room, _("%(name)s is no longer a member.") % {"name": _username(request)})

    def leave(self, request: HttpRequest, room: Room, standing: Standing) -> HttpResponse:
        governing.leave(self.me, room.pk)
        messages.info(request, _("You no longer belong to %(room)s.") % {"room": room})
        return HttpResponseRedirect(
            reverse("chat:room", args=[room.slug]) if policies.is_open(room.visibility) else reverse("chat:index")
        )

    def invite(self, request: HttpRequest, room: Room, standing: Standing) -> HttpResponse:
        asked = {name: request.POST.get(name, "") for name in ("role", "days", "most_uses")}
        made, token = invitations.invite(self.me, room.pk, **asked)
        # Answered with the page itself: the link is shown this once, and kept nowhere.
        link = settings.PUBLIC_URL + reverse("join", args=[token])
        return self.page(request, room, standing, invited=made, link=link)

    def revoke(self, request: HttpRequest, room: Room, standing: Standing) -> HttpResponse:
        invitations.revoke(self.me, room.pk, request.POST.get("invitation", ""))
        return self.done(request, room, _("That link leads nowhere now."))

    def done(self, request: HttpRequest, room: Room, notice: str) -> HttpResponse:
        messages.info(request, notice)
        return HttpResponseRedirect(reverse("chat:members", args=[room.slug]))

    def page(
        self, request: HttpRequest, room: Room, standing: Standing, error: ChatError | None = None, **more: Any
    ) -> HttpResponse:
        context: dict[str, Any] = {"room": room, "me": self.me, "role": standing.role, "error": error, **more}
        context["governs"] = standing.governs
        context["may_govern"] = policies.may_govern(standing)
        context["may_see"] = policies.may_see_members(room, standing)
        if context["may_see"]:
            members = Membership.objects.filter(room=room).select_related("user").order_by(_BY_RANK, "user__username")
            page = Paginator(members, MEMBERS_ON_A_PAGE).get_page(request.GET.get("page"))
            for member in page:
                member.is_me = member.user_id == self.me.user_id
                member.can_go = not member.is_me and policies.may_set_role(standing, member.role, None)
            context["members"] = page
            context["roles"] = Membership.Role.choices
        if standing.governs:
            context["waiting"] = sum(waiting_in([room.pk])[room.pk])
            found = Invitation.objects.in_force().filter(room=room).select_related("created_by")
            context["invitations"] = [each for each in found if policies.may_invite(standing, each.role)]
            context["invites_to"] = [
                (role, label) for role, label in Membership.Role.choices[::-1] if policies.may_invite(standing, role)
            ]
            context["most_days"] = settings.MAX_INVITATION_DAYS
            context["most_uses"] = MAX_USES
        return render(request, "chat/members.html", context, status=error.status if error else 200)


class JoinView(PersonView):
    """Where an invitation leads: whoever has an account accepts it here."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        # The address is what makes members: it goes nowhere from here. A form needs its origin told, or it is refused
        # as somebody else's ("Origin: null"); who is signed in has forms here.
        response["Referrer-Policy"] = "strict-origin" if request.user.is_authenticated else "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            found = invitations.look(token)
        except errors.InvitationInvalid as error:
            return _nothing_there(request, error)
        context = {
            "room": found.room,
            "role": found.get_role_display(),
            "by": found.created_by.username,
            "hue": hue_of(found.created_by.identity.key, found.created_by.hue),
            "me": self.me,
            "here": quote(request.path),
            "belongs": Membership.objects.filter(room=found.room, user_id=self.me.user_id).exists(),
        }
        return render(request, "chat/join.html", context)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            self.count()
            room = invitations.accept(self.me, token)
        except errors.InvitationInvalid as error:
            return _nothing_there(request, error)
        except ChatError as error:
            return render(request, "chat/join.html", {"error": error}, status=error.status)
        return HttpResponseRedirect(reverse("chat:room", args=[room.slug]))


def _nothing_there(request: HttpRequest, error: ChatError) -> HttpResponse:
    return render(request, "chat/join.html", {"error": error}, status=error.status)


def _username(request: HttpRequest) -> str:
    return request.POST.get("username", "").replace("\0", "")
