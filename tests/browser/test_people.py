"""Joining, belonging and leaving for good, without scripts, on a small screen."""

from playwright.async_api import Page, expect

from tests.servers import Engawa

SMALL = {"java_script_enabled": False, "viewport": {"width": 360, "height": 740}}
LONG = "w" * 60  # a name that does not fit
PREPARE = f"""
from chat import actions, governing
from chat.models import User
olga = User.objects.create_user('olga', password='a long password', email='olga@example.org')
User.objects.create_user({LONG!r})
room, _ = actions.create_room(olga.identity, 'Tea house by the pond', 'private')
governing.set_role(None, room.pk, {LONG!r}, 'member')
print(room.slug)
"""


async def fits(page: Page) -> None:
    """Nobody has to scroll sideways. Asked without scripts of the page: it has none."""
    box = await page.locator("body").bounding_box()
    main = await page.locator("main").evaluate("main => main.scrollWidth - main.clientWidth")
    assert (box["width"], main) == (360, 0)


async def test_somebody_joins_by_a_link_and_leaves_for_good(server: Engawa, person) -> None:
    slug = server.shell(PREPARE)
    members = f"{server.base}/chat/{slug}/members"

    owner = await (await person(**SMALL)).open(f"{server.base}/accounts/login/?next=/chat/{slug}/members", live=False)
    await owner.get_by_label("Username").fill("olga")
    await owner.get_by_label("Password").fill("a long password")
    await owner.keyboard.press("Enter")
    await expect(owner.get_by_role("list", name="Members").get_by_role("listitem")).to_have_count(2)
    await owner.get_by_label("For how many people").fill("1")
    await owner.get_by_role("button", name="Make a link").focus()
    await owner.keyboard.press("Enter")
    link = await owner.get_by_label("Send this link to whom you invite.").input_value()
    await fits(owner)

    guest = await (await person(**SMALL)).open(link, live=False)
    await fits(guest)
    await expect(guest.get_by_role("heading", level=1)).to_have_text("You are invited to Tea house by the pond")
    await guest.get_by_role("main").get_by_role("link", name="sign up").click()
    await guest.get_by_label("Username").fill("Оlga")  # with a Cyrillic letter
    await guest.get_by_label("Password", exact=True).fill("another long one")
    await guest.get_by_label("Password confirmation").fill("another long one")
    await guest.keyboard.press("Enter")
    await expect(guest.get_by_role("alert")).to_contain_text("looks the same; choose another name.")
    await fits(guest)
    await guest.get_by_label("Username").fill("rita")
    await guest.get_by_label("Password", exact=True).fill("another long one")
    await guest.get_by_label("Password confirmation").fill("another long one")
    await guest.keyboard.press("Enter")
    await guest.get_by_role("button", name="Join as rita").click()
    await expect(guest.get_by_role("heading", level=1)).to_have_text("Tea house by the pond")

    await owner.goto(members)
    await owner.get_by_label("Role of rita").select_option("moderator")
    await owner.get_by_role("button", name="Set the role of rita").click()
    await expect(owner.get_by_role("status")).to_have_text("rita has another role now.")
    await expect(owner.get_by_role("list", name="Invitations")).to_have_count(0)  # it was for one

    await guest.goto(members)
    await expect(guest.get_by_role("button", name="Remove olga")).to_have_count(0)
    await guest.get_by_role("button", name=f"Remove {LONG}").click()
    await expect(guest.get_by_role("list", name="Members").get_by_role("listitem")).to_have_count(2)

    await guest.get_by_role("link", name="rita").click()
    await fits(guest)
    await guest.get_by_label("E-mail address").fill("rita@example.org")
    await guest.get_by_label("Your password").fill("another long one")
    await guest.keyboard.press("Enter")
    await expect(guest.get_by_role("status")).to_have_text("Your e-mail address is changed.")
    async with guest.expect_download() as download:
        await guest.get_by_role("link", name="Download my data").click()
    assert (await download.value).suggested_filename == "engawa-account.json"
    await guest.get_by_role("link", name="Delete my account").click()
    await fits(guest)
    await guest.get_by_label("It is deleted, everywhere").check()
    await guest.get_by_label("Your password").fill("another long one")
    await guest.get_by_role("button", name="Delete my account").click()
    await expect(guest.get_by_role("status")).to_have_text("Your account is deleted.")
    await expect(guest.get_by_role("link", name="Log in")).to_be_visible()

    await owner.goto(f"{server.base}/accounts/delete/")
    await expect(owner.get_by_role("main")).to_contain_text("You are the only owner of these rooms.")
    await fits(owner)
