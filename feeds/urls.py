from django.urls import path

from feeds import grip, views

app_name = "feeds"
urlpatterns = [
    path("feeds/<str:slug>/", views.WatchView.as_view(), name="watch"),
    path("feeds/<str:slug>/stream", grip.view, name="stream"),
    path("embed/<str:slug>/", views.EmbedView.as_view(), name="embed"),
]
