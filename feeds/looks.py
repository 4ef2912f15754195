"""How a room looks in somebody else's page, as its address says: the same for the iframe and for the web component."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import get_language

from chat.languages import bcp47, supported
from chat.mids import is_mid

THEMES = ("auto", "light", "dark")
LANGUAGES = ("en", "ja", "zh-Hans", "zh-Hant")
ORDERS = ("oldest", "newest")
HEADERS = ("show", "hide")
MAX_LIMIT = 200

# What an embed says without scripts; static/embed/engawa-room.js has these words, too, and more.
WORDS = {
    "en": {
        "join": "Join",
        "earlier": "Earlier messages",
        "newest": "New messages",
        "later": "Later messages",
        "empty": "Nothing has been said here yet.",
        "log": "Messages in %",
        "edited": "(edited)",
        "archived": "Archived",
        "pinned": "Pinned",
        "report": "Report",
        "reply": "In reply to",
        "older": "an earlier message",
        "deleted": "a deleted message",
        "guest": "guest",
        "bot": "bot",
        "owner": "owner",
        "moderator": "moderator",
    },
    "ja": {
        "join": "参加する",
        "earlier": "以前のメッセージ",
        "newest": "新着メッセージ",
        "later": "以後のメッセージ",
        "empty": "まだ発言はありません。",
        "log": "%のメッセージ",
        "edited": "（編集済み）",
        "archived": "アーカイブ済み",
        "pinned": "固定",
        "report": "通報",
        "reply": "返信先",
        "older": "以前のメッセージ",
        "deleted": "削除されたメッセージ",
        "guest": "ゲスト",
        "bot": "ボット",
        "owner": "オーナー",
        "moderator": "モデレーター",
    },
    "zh-Hans": {
        "join": "加入",
        "earlier": "更早的消息",
        "newest": "新消息",
        "later": "更晚的消息",
        "empty": "还没有人发言。",
        "log": "“%”的消息",
        "edited": "（已编辑）",
        "archived": "已归档",
        "pinned": "置顶",
        "report": "举报",
        "reply": "回复",
        "older": "更早的消息",
        "deleted": "已删除的消息",
        "guest": "访客",
        "bot": "机器人",
        "owner": "房主",
        "moderator": "管理员",
    },
    "zh-Hant": {
        "join": "加入",
        "earlier": "較早的訊息",
        "newest": "新訊息",
        "later": "較晚的訊息",
        "empty": "還沒有人發言。",
        "log": "「%」的訊息",
        "edited": "（已編輯）",
        "archived": "已封存",
        "pinned": "置頂",
        "report": "檢舉",
        "reply": "回覆",
        "older": "較早的訊息",
        "deleted": "已刪除的訊息",
        "guest": "訪客",
        "bot": "機器人",
        "owner": "擁有者",
        "moderator": "版主",
    },
}


@dataclass(frozen=True, slots=True)
class Look:
    """What an address asks for; empty where it does not, or asks for what there is not."""

    theme: str = ""
    lang: str = ""
    tz: str = ""
    limit: int = 0  # messages at first; 0: as many as anywhere
    order: str = ""
    header: str = ""
    since: str = ""  # a mid; ``from`` in an address

    @property
    def attributes(self) -> dict[str, str]:
        """As the component's attributes and an address's query have it, without what is the default."""
        asked = {
            "theme": self.theme,
            "lang": self.lang,
            "tz": self.tz,
            "limit": str(self.limit or ""),
            "order": self.order,
            "header": self.header,
            "from": self.since,
        }
        return {name: value for name, value in asked.items() if value}

    @property
    def words(self) -> dict[str, str]:
        return WORDS[self.language]

    @property
    def language(self) -> str:
        """What is asked for, or else the reader's: the active one."""
        return self.lang or bcp47(get_language() or settings.LANGUAGE_CODE)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.tz or "UTC")


def read_look(query: Mapping[str, str]) -> Look:
    """Unknown parameters are ignored, and what is no value of a known one is as if it were not there."""
    limit = query.get("limit", "")
    return Look(
        theme=_one_of(THEMES, query.get("theme")),
        lang=language(query.get("lang", "")),
        tz=_time_zone(query.get("tz", "")),
        limit=min(int(limit), MAX_LIMIT) if re.fullmatch(r"[0-9]{1,6}", limit, re.ASCII) else 0,
        order=_one_of(ORDERS, query.get("order")),
        header=_one_of(HEADERS, query.get("header")),
        since=query["from"] if is_mid(query.get("from")) else "",
    )


def language(tag: str) -> str:
    """The one of our languages that a BCP 47 tag means; empty where there is none."""
    return bcp47(supported(tag) or "")


def _one_of(values: tuple[str, ...], asked: str | None) -> str:
    return asked if asked in values else ""


def _time_zone(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]{0,60}", name, re.ASCII):
        return ""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ""
    return name
