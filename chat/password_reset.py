"""A new password, by a link in an e-mail. Django's own way, but for where links lead and when mail is sent."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import forms, views
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

from chat import mails
from chat.addresses import network_of_request
from chat.languages import supported
from chat.limits import count_reset


class PasswordResetForm(forms.PasswordResetForm):
    """The same answer for every address, known or not."""

    def save(self, **options: Any) -> None:
        if not mails.may_write_to(self.cleaned_data["email"]):
            return
        public = urlsplit(settings.PUBLIC_URL)  # the Host header is whatever somebody wrote there
        super().save(**{**options, "domain_override": public.netloc, "use_https": public.scheme == "https"})

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        # Whoever reads it need not be who asked for it, nor sit at the same browser.
        with translation.override(supported(context["user"].language) or translation.get_language()):
            subject = " ".join(render_to_string(subject_template_name, context).split())
            text = render_to_string(email_template_name, context)
        mails.send(EmailMessage(subject, text, from_email, [to_email]))


class PasswordResetView(views.PasswordResetView):
    form_class = PasswordResetForm
    email_template_name = "registration/password_reset_email.txt"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        count_reset(network_of_request(request))
        return super().post(request, *args, **kwargs)
