from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path, re_path

from chat import pwa
from chat.accounts import GuestView, SignUpView
from chat.api_door import api
from chat.language_views import LanguageView
from chat.member_views import JoinView
from chat.password_reset import PasswordResetView
from chat.profile_views import DeleteAccountView, ExportView, ProfileView
from chat.signing_in import PasswordChangeView, SignInView
from chat.views import IndexView
from chat.words import WordsView

handler500 = "chat.error_views.server_error"
urlpatterns = [
    path("", IndexView.as_view(), name="home"),
    path("chat/", include("chat.urls")),
    path("", include("feeds.urls")),
    path("join/<str:token>/", JoinView.as_view(), name="join"),
    path("accounts/signup/", SignUpView.as_view(), name="signup"),
    path("accounts/guest/", GuestView.as_view(), name="guest"),
    path("accounts/language/", LanguageView.as_view(), name="language"),
    path("words/<str:language>.<str:digest>.js", WordsView.as_view(), name="words"),
    path("accounts/login/", SignInView.as_view(extra_context={"oidc_name": settings.OIDC_NAME}), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("accounts/password_change/", PasswordChangeView.as_view(), name="password_change"),
    path("accounts/password_change/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("accounts/password_reset/", PasswordResetView.as_view(), name="password_reset"),
    path("accounts/password_reset/done/", auth.PasswordResetDoneView.as_view(), name="password_reset_done"),
    path("accounts/reset/<uidb64>/<token>/", auth.PasswordResetConfirmView.as_view(), name="password_reset_confirm"),
    path("accounts/reset/done/", auth.PasswordResetCompleteView.as_view(), name="password_reset_complete"),
    path("accounts/profile/", ProfileView.as_view(), name="profile"),
    path("accounts/export/", ExportView.as_view(), name="export"),
    path("accounts/delete/", DeleteAccountView.as_view(), name="delete_account"),
    re_path(r"^api(?:/(?P<path>[\s\S]*))?\Z", api),
    path("admin/", admin.site.urls),
    path("manifest.webmanifest", pwa.manifest, name="manifest"),
    path("service-worker.js", pwa.service_worker, name="service_worker"),
    path("offline/", pwa.offline, name="offline"),
    path("favicon.ico", pwa.favicon),
]
if settings.OIDC_ISSUER:
    from chat import oidc_views

    urlpatterns += [
        path("accounts/oidc/", oidc_views.SignInView.as_view(), name="oidc"),
        path("accounts/oidc/back/", oidc_views.BackView.as_view(), name="oidc_back"),
    ]
