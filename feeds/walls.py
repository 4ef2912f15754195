"""A room on the screen of an event: the last messages in large type, and how those who see it there come in."""

from io import BytesIO

import segno
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import uri_to_iri

from chat import errors, policies
from chat.models import Room
from chat.pages import MessagePage, message_page
from feeds.addresses import absolute
from feeds.reading import ReadView, etag_of_content
from feeds.views import ViewerView

MESSAGES = 30  # more than fit; js/wall.js keeps as many
_QUIET_MODULES = 4  # around a code, as its standard wants them


class WallView(ViewerView):
    template_name = "feeds/wall.html"
    path_name = "feeds:wall"
    is_listed = False  # what is on it is listed, if at all, on the watch page

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, message_page(self.room, size=MESSAGES))

    def context(self, page: MessagePage) -> dict[str, object]:
        # Who stands before a screen need not know the address of a room that is not open.
        address = join_address(self.room) if policies.anyone_may_read(self.room) else ""
        shown = uri_to_iri(address).partition("://")[2]
        return {
            **super().context(page),
            "report_url": None,
            "address": address,
            "shown_address": shown,
            "address_parts": shown.rstrip("/").split("/"),
        }


class QrView(ReadView):
    """The code that leads into a room. Of a room that is not open there is none, whoever asks."""

    is_listed = False

    def etag(self, request: HttpRequest) -> str:
        if not policies.anyone_may_read(self.room):
            raise errors.AddressNotFound()
        return etag_of_content(self.room, join_address(self.room))

    def get(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponse(qr_code(join_address(self.room)), content_type="image/svg+xml")
        response.has_no_language = True
        return response


def join_address(room: Room) -> str:
    """Where somebody takes part in it."""
    return absolute("chat:room", room.slug)


def qr_code(text: str) -> bytes:
    """An SVG of any size, dark on light on any page."""
    svg = BytesIO()
    code = segno.make_qr(text, error="m")
    code.save(svg, "svg", border=_QUIET_MODULES, dark="#000", light="#fff", omitsize=True, title=text)
    return svg.getvalue()
