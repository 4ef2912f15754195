"""The admin in a real browser: under the site's own policy of what a page may load and run, without a complaint."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.servers import Engawa

PEOPLE = """
from chat import actions, governing, posting, review
from chat.identity import new_guest
from chat.models import ApiToken, Invitation, Room, SiteRules, User, ViewToken, Webhook
from django.utils import timezone
ada = User.objects.create_superuser("ada", password="a password for tests")
olga = User.objects.create_user("olga")
room, _ = actions.create_room(olga.identity, "Looked after")
gil = new_guest("Gil")
said = posting.post(gil, room.pk, "something bad")
review.report(olga.identity, "", room.pk, said.mid, "abuse", "look at that")
governing.change_room(None, room.pk, {"approval": "guests"})
posting.post(gil, room.pk, "held back")
Invitation.objects.create(room=room, token_hash="x", expires_at=timezone.now())
ApiToken.objects.create(room=room, name="bot", token_hash="y", hint="abc", scopes="read")
ViewToken.objects.create(room=room, name="site", token_hash="v", hint="abc", expires_at=timezone.now())
Webhook.objects.create(room=room, url="https://example.org/", secret="z")
"""
MODELS = (
    "report",
    "heldmessage",
    "sanction",
    "room",
    "user",
    "message",
    "auditentry",
    "invitation",
    "apitoken",
    "viewtoken",
    "webhook",
)


@pytest.fixture(scope="module")
def administered(server: Engawa) -> Engawa:
    server.shell(PEOPLE)
    return server


async def signed_in(server: Engawa, person, **options: object) -> Page:
    page = await (await person(**options)).open(f"{server.base}/admin/", live=False)
    await page.get_by_label("Username").fill("ada")
    await page.get_by_label("Password").fill("a password for tests")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="What waits, and what there is")).to_be_visible()
    return page


async def test_every_page_of_it_is_quiet(administered: Engawa, person) -> None:
    page = await signed_in(administered, person)
    for model in MODELS:
        await page.goto(f"{administered.base}/admin/chat/{model}/")
        await expect(page.locator("#changelist")).to_be_visible()
        first = page.locator("#result_list tbody th a").first
        if await first.count():
            await first.click()
            await expect(page.locator("#content .module").first).to_be_visible()
    for path in (
        "chat/sanction/add/",
        "chat/siterules/add/",
        "chat/siterules/",
        "chat/user/add/",
        "auth/group/add/",
        "",
    ):
        await page.goto(f"{administered.base}/admin/{path}")
        await expect(page.locator("#content h1")).to_be_visible()
    await page.goto(f"{administered.base}/admin/chat/user/")
    await page.get_by_role("link", name="olga").click()
    await page.get_by_role("link", name="Set another one").click()
    await expect(page.get_by_text("Enter a new password for the user")).to_be_visible()


async def test_an_account_is_found_as_it_is_typed_banned_and_let_in_again(administered: Engawa, person) -> None:
    page = await signed_in(administered, person)
    await page.goto(f"{administered.base}/admin/chat/sanction/add/")
    await page.get_by_label("Kind").select_option("ban")
    await page.locator(".select2-selection").click()
    await page.locator(".select2-search__field").fill("olg")
    await page.get_by_role("option", name="olga").click()
    await page.get_by_label("For:").fill("2h")
    await page.get_by_role("button", name="Save", exact=True).click()
    row = page.get_by_role("row", name=re.compile("olga"))
    await expect(row).to_contain_text("the whole site")
    await row.locator("input").check()
    await page.get_by_label("Action:").select_option("Lift the selected sanctions")
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_role("heading", name="Lift these sanctions?")).to_be_visible()
    await page.get_by_role("button", name="Yes, I am sure").click()
    await expect(page.get_by_text("1 sanction lifted.")).to_be_visible()


async def test_a_room_is_set_up_and_somebody_joins_it(administered: Engawa, person) -> None:
    page = await signed_in(administered, person)
    await page.goto(f"{administered.base}/admin/chat/room/")
    await page.get_by_role("link", name="looked-after").click()
    await page.get_by_label("Title").fill("Looked after well")
    await page.get_by_text("Add another Membership").click()
    await page.locator("#memberships-1 .select2-selection").click()
    await page.locator(".select2-search__field").fill("ada")
    await page.get_by_role("option", name="ada").click()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("row", name=re.compile("Looked after well"))).to_be_visible()
    said = administered.shell(
        "from chat.models import AuditEntry\n"
        "print(sorted(AuditEntry.objects.filter(room__slug='looked-after').values_list('action', 'target'))[-2:])"
    )
    assert said == "[('change', 'title'), ('role', 'ada')]"
