from django.urls import path

from chat import member_views, views

app_name = "chat"
urlpatterns = [
    path("", views.IndexView.as_view(), name="index"),
    path("<str:slug>/", views.RoomView.as_view(), name="room"),
    path("<str:slug>/messages", views.MessagesView.as_view(), name="messages"),
    path("<str:slug>/members", member_views.MembersView.as_view(), name="members"),
    path("<str:slug>/settings", views.SettingsView.as_view(), name="settings"),
]
