"""The owner's page for programs, without scripts, on a small screen, by keyboard."""

import httpx
from playwright.async_api import expect

from tests.browser.test_keeping import SMALL, prepared, sign_in
from tests.servers import Engawa


async def test_a_program_is_let_in_by_keyboard(server: Engawa, person) -> None:
    slug, _ = prepared(server, "Programs")
    page = await (await person(**SMALL)).open(f"{server.base}/", live=False)
    await sign_in(server, page)
    await page.goto(f"{server.base}/chat/{slug}/settings")
    await page.get_by_role("link", name="Programs").click()
    await page.get_by_label("The program’s name").fill("Kestrel")
    await page.get_by_label("Post, and change what it posted").focus()
    await page.keyboard.press("Space")
    await page.get_by_role("button", name="Make a token").focus()
    await page.keyboard.press("Enter")
    secret = await page.get_by_label("Keep it where only the program finds it.").input_value()
    messages = f"{server.base}/api/v1/rooms/{slug}/messages"
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(headers=headers) as program:
        assert (await program.post(messages, json={"message": "hello"})).status_code == 201
        await page.get_by_label("Address").fill("https://hooks.example.org/" + "x" * 200)
        await page.get_by_role("button", name="Add a webhook").click()
        await expect(page.get_by_role("list", name="Webhooks")).to_contain_text("Not called yet.")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_role("button", name="Revoke the token of Kestrel").click()
        await expect(page.get_by_role("status")).to_have_text("That token is good for nothing now.")
        assert (await program.post(messages, json={"message": "hello"})).status_code == 401
