"""What happens to accounts and memberships, wherever it is done, reaches the site log."""

from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from chat import screening, site
from chat.models import Membership, SiteRules, User


@receiver(user_logged_out)
def _session_ended(request: HttpRequest, user: User | None, **_: object) -> None:
    if user is not None:
        request.session.flush()  # as Django does after this: whoever is told now, and asks at once, shall not find it
        site.user_changed(user.pk)


@receiver(post_save, sender=User)
def _account_saved(instance: User, created: bool, **_: object) -> None:
    # Django keeps a new password's text until it is saved: that is how it, too, knows that there is one.
    if not created and (instance._password is not None or not instance.is_active):
        site.user_changed(instance.pk)


@receiver(post_delete, sender=User)
def _account_deleted(instance: User, **_: object) -> None:
    site.user_changed(instance.pk)


@receiver([post_save, post_delete], sender=Membership)
def _membership_changed(instance: Membership, **_: object) -> None:
    site.room_changed(instance.room_id)


@receiver([post_save, post_delete], sender=SiteRules)
def _site_rules_changed(**_: object) -> None:
    screening.forget_site_rules()
