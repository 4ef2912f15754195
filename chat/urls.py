from django.urls import path

from chat import (
    command_views,
    member_views,
    moderator_views,
    owner_views,
    program_views,
    search_views,
    view_token_views,
    views,
)

app_name = "chat"
urlpatterns = [
    path("", views.IndexView.as_view(), name="index"),
    path("<str:slug>/", views.RoomView.as_view(), name="room"),
    path("<str:slug>/m/<str:mid>/", views.MessageView.as_view(), name="message"),
    path("<str:slug>/messages", views.MessagesView.as_view(), name="messages"),
    path("<str:slug>/search", search_views.SearchView.as_view(), name="search"),
    path("<str:slug>/members", member_views.MembersView.as_view(), name="members"),
    path("<str:slug>/commands", command_views.CommandsView.as_view(), name="commands"),
    path("<str:slug>/settings", owner_views.SettingsView.as_view(), name="settings"),
    path("<str:slug>/moderation", moderator_views.ModerationView.as_view(), name="moderation"),
    path("<str:slug>/programs", program_views.ProgramsView.as_view(), name="programs"),
    path("<str:slug>/view-tokens", view_token_views.ViewTokensView.as_view(), name="view_tokens"),
    path("<str:slug>/audit", owner_views.AuditView.as_view(), name="audit"),
    path("<str:slug>/audit.<str:form>", owner_views.AuditExportView.as_view(), name="audit_export"),
]
