from django.urls import path

from feeds import atom, grip, jsonfeed, oembed, reports, several, sitemaps, tickets, views

app_name = "feeds"
urlpatterns = [
    path("feeds/", several.SeveralView.as_view(), name="several"),
    path("feeds/<str:slug>/", views.WatchView.as_view(), name="watch"),
    path("feeds/<str:slug>/m/<str:mid>/", views.MessageView.as_view(), name="message"),
    path("feeds/<str:slug>/stream", grip.view, name="stream"),
    path("feeds/<str:slug>/ticket", tickets.TicketView.as_view(), name="ticket"),
    path("feeds/<str:slug>/atom", atom.AtomView.as_view(), name="atom"),
    path("feeds/<str:slug>/json", jsonfeed.JsonFeedView.as_view(), name="json"),
    path("feeds/<str:slug>/report", reports.ReportView.as_view(), name="report"),
    path("embed/<str:slug>/", views.EmbedView.as_view(), name="embed"),
    path("oembed", oembed.OembedView.as_view(), name="oembed"),
    path("sitemap.xml", sitemaps.sitemap, name="sitemap"),
    path("robots.txt", sitemaps.robots, name="robots"),
]
