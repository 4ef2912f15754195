from django.urls import path, re_path

from feeds import (
    archives,
    atom,
    embeds,
    jsonfeed,
    oembed,
    replay_views,
    reports,
    scripts,
    search,
    several,
    sitemaps,
    tickets,
    transcript_views,
    views,
    walls,
)

# A day, a month or a year, each in as many digits as it always has.
YEAR, MONTH, DAY = r"(?P<year>[0-9]{4})/", r"(?P<month>[0-9]{2})/", r"(?P<day>[0-9]{2})/"
SLUG = r"(?P<slug>[^/]+)/"
anybody, member = archives.ArchiveView.as_view(), archives.MemberArchiveView.as_view()

app_name = "feeds"
urlpatterns = [
    path("feeds/", several.SeveralView.as_view(), name="several"),
    path("feeds/<str:slug>/", views.WatchView.as_view(), name="watch"),
    path("feeds/<str:slug>/wall", walls.WallView.as_view(), name="wall"),
    path("feeds/<str:slug>/qr.svg", walls.QrView.as_view(), name="qr"),
    path("feeds/<str:slug>/m/<str:mid>/", views.MessageView.as_view(), name="message"),
    path("feeds/<str:slug>/stream", transcript_views.beside_django, name="stream"),
    path("feeds/<str:slug>/ticket", tickets.TicketView.as_view(), name="ticket"),
    path("feeds/<str:slug>/atom", atom.AtomView.as_view(), name="atom"),
    path("feeds/<str:slug>/json", jsonfeed.JsonFeedView.as_view(), name="json"),
    path("feeds/<str:slug>/search", search.SearchView.as_view(), name="search"),
    path("feeds/<str:slug>/report", reports.ReportView.as_view(), name="report"),
    path("oembed", oembed.OembedView.as_view(), name="oembed"),
    path("sitemap.xml", sitemaps.sitemap, name="sitemap"),
    path("robots.txt", sitemaps.robots, name="robots"),
    path("feeds/<str:slug>/archive/", anybody, name="archive"),
    path("feeds/<str:slug>/export", transcript_views.TranscriptView.as_view(), name="transcript"),
    path("feeds/<str:slug>/export.<str:form>", transcript_views.beside_django, name="export"),
    path("chat/<str:slug>/export", transcript_views.MemberTranscriptView.as_view(), name="member_transcript"),
    path("chat/<str:slug>/export.<str:form>", transcript_views.beside_django, name="member_export"),
    path("feeds/<str:slug>/replay", replay_views.ReplayView.as_view(), name="replay"),
    path("chat/<str:slug>/replay", replay_views.MemberReplayView.as_view(), name="member_replay"),
    re_path(rf"^feeds/{SLUG}{YEAR}\Z", anybody, name="year"),
    re_path(rf"^feeds/{SLUG}{YEAR}{MONTH}\Z", anybody, name="month"),
    re_path(rf"^feeds/{SLUG}{YEAR}{MONTH}{DAY}\Z", anybody, name="day"),
    path("chat/<str:slug>/archive/", member, name="member_archive"),
    re_path(rf"^chat/{SLUG}{YEAR}\Z", member, name="member_year"),
    re_path(rf"^chat/{SLUG}{YEAR}{MONTH}\Z", member, name="member_month"),
    re_path(rf"^chat/{SLUG}{YEAR}{MONTH}{DAY}\Z", member, name="member_day"),
    path("feeds/<str:slug>/messages", views.MessagesView.as_view(), name="messages"),
    path("feeds/<str:slug>/embed", embeds.ChooserView.as_view(), name="chooser"),
    path("embed/<str:slug>/", embeds.EmbedView.as_view(), name="embed"),
    path("embed/engawa-room.js", scripts.ScriptView.as_view(), {"name": scripts.COMPONENT}, name="component"),
    path(
        "embed/engawa-room.<str:hash>.js",
        scripts.ScriptView.as_view(),
        {"name": scripts.COMPONENT},
        name="component_version",
    ),
    path("embed/engawa-frame.js", scripts.ScriptView.as_view(), {"name": scripts.FRAME}, name="frame_helper"),
    path(
        "embed/engawa-frame.<str:hash>.js",
        scripts.ScriptView.as_view(),
        {"name": scripts.FRAME},
        name="frame_helper_version",
    ),
]
