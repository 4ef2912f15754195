"""The owner's page for view tokens, without scripts, on a small screen, by keyboard."""

import httpx
from playwright.async_api import expect

from tests.browser.test_keeping import SMALL, prepared, sign_in
from tests.servers import Engawa


async def test_somebody_is_let_in_to_read_by_keyboard(server: Engawa, person) -> None:
    slug, _ = prepared(server, "Viewers")
    page = await (await person(**SMALL)).open(f"{server.base}/", live=False)
    await sign_in(server, page)
    await page.goto(f"{server.base}/chat/{slug}/settings")
    await page.get_by_role("link", name="View tokens").click()
    await page.get_by_label("Whom it is for").fill("The school’s page, which has a long name"[:32])
    await page.get_by_label("How long it is good").select_option(label="30 days")
    await page.get_by_role("button", name="Make a view token").focus()
    await page.keyboard.press("Enter")
    secret = await page.get_by_label("Whoever has it reads along.").input_value()
    assert secret in await page.get_by_label("Follow the room from a terminal").input_value()
    assert f"/feeds/{slug}/ticket" in await page.get_by_label("Get a ticket").input_value()
    assert "<engawa-room src=" in await page.get_by_label("Put the room into a page.").input_value()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {secret}"}) as reader:
        watch = f"{server.base}/feeds/{slug}/"
        assert (await reader.get(watch)).status_code == 200
        await page.goto(f"{server.base}/chat/{slug}/view-tokens")
        await expect(page.get_by_role("list", name="View tokens")).to_contain_text("made by olga")
        await page.get_by_role("button", name="Revoke the view token for").click()
        await expect(page.get_by_role("status")).to_contain_text("That token is good for nothing now.")
        assert (await reader.get(watch)).status_code == 401
    await page.get_by_role("link", name="Audit log").click()
    await expect(page.get_by_role("row").filter(has_text="revoked a view token")).to_contain_text("The school’s page")
