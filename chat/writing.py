"""What language a text is in, as far as its script says: for ``lang``, which chooses fonts, voices and line ends."""

import re

# As static/js/lib/language_of.js has them. Frequent characters that are written so in one of the two ways of writing
# Chinese, and neither in the other nor in Japanese.
SIMPLIFIED = (
    "们这说时为对发过还吗让该问间门难谁请谢认识话语读给经结线红级纪约纸细终组绍织绝统继续维综绿缘车轮软转轻较载输东乐买卖亲从仅众优伟传"
    "伤价伦债倾儿兴养兽冲冻净凉凤击创则刚别剧办动务劳势劲华单卫厂厅历压厉变听员响团园围图圆场块坚坏处备头夺奖妇妈娱孙宁实审宪宽导尔尘尝"
    "层岁岗岛币帅师带帮广庆库应废开异弃张弹归录彻忆忧怀态总恶恼悬惊惯愿戏战户执扩扫扬扰抚抢护报拟拥择损摆敌无显晓暂术杀杂权杨极构标"
    "树样桥检欢气毕汉汤沟沪泪泽洁测济浓润涨满滚灭灵热爱爷狮环现玛疗疯监盘码砖础确离种积稳穷笔签简类粮紧罗罚罢职联肃肠肤胜脑"
    "脸舰艺节苏药荣获营萧虑虽虾见观规视觉览订计讨训议记讲许论设访证评词试诗详误课调谈贝负财责败货质贵费资赏赛赵赶跃达迁迈运进远违连迟选遗"
    "邮邻郑针钟钢钱铁银链销错键镇镜长闭闲闻阅阳阴阵阶际陆陈险雾页顶项顺须顾顿预领频题额风飞饭饮饿馆马驾验骑鱼鲁鲜鸟鸡鸣鸭齐龙龟么"
)
TRADITIONAL = (
    "們這說麼嗎對發裡沒會國學讓點當來兩從應歡觀關變邊辦亂爭佔價傳兒內劍勞區單卻參嚴圍圓圖團壓壞聲處夠獎妳媽實寫寶將專屬歲幫廣廢彈徑惡惱懷"
    "戰戲戶擇擔據擴攝數斷曉條樂樣權橫檢櫻歷歸殘氣淨淺溫滿濕濟澀灣營爐牠狀獨產畫盡眾禮稱穩竊絕經綠緣總續繼藝藥號蟲裝覺覽讀證譯豐賣轉輕辭遞"
    "遲邏醫釋錢錄鐵險隱雙雜靈靜顯驗體鬥麥黃齊齡龜臺欸嘅咗冇啲嚟"
)
_SCRIPTS = {
    "ru uk be bg mk sr kk ky mn tg": "Ѐ-ԯ",
    "el": "Ͱ-Ͽ",
    "he yi": "֐-׿",
    "ar fa ur ps ug": "؀-ۿ",
    "hi mr ne sa": "ऀ-ॿ",
    "bn as": "ঀ-৿",
    "ta": "஀-௿",
    "th": "฀-๿",
    "ka": "Ⴀ-ჿ",
    "hy": "԰-֏",
}
_LATIN = "A-Za-zÀ-ÖØ-öø-ɏ"
_HAN = "㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff"

_kana = re.compile("[ぁ-ゖァ-ヺㇰ-ㇿｦ-ﾝ]")
_hangul = re.compile("[ᄀ-ᇿㄱ-ㆎ가-힣]")
_han = re.compile(f"[{_HAN}]")
_simplified = re.compile(f"[{SIMPLIFIED}]")
_traditional = re.compile(f"[{TRADITIONAL}]")
_of_language = {
    language: re.compile(f"[{letters}]") for languages, letters in _SCRIPTS.items() for language in languages.split()
}
_latin = re.compile(f"[{_LATIN}]")


def language_of(text: str, expected: str = "") -> str | None:
    """A BCP 47 tag, ``expected`` where the text may be in that language. Empty where the script does not say, and None
    where it is at least one of those that write Han, so that the reader's own may be the best guess."""
    primary = expected.partition("-")[0].lower()
    if not text.isascii():
        kana, hangul = len(_kana.findall(text)), len(_hangul.findall(text))
        if kana or hangul:
            found = "ja" if kana >= hangul else "ko"
            return expected if primary == found else found
        if _han.search(text):
            return _of_han(text, primary, expected)
    if not primary or primary in ("ja", "zh", "ko"):
        return ""
    return expected if _of_language.get(primary, _latin).search(text) else ""


def _of_han(text: str, primary: str, expected: str) -> str | None:
    more = len(_simplified.findall(text)) - len(_traditional.findall(text))
    if more == 0:
        return expected if primary in ("ja", "zh", "ko") else None
    found = "zh-Hans" if more > 0 else "zh-Hant"
    # Where it agrees, what was said of the room is more exact: zh-HK, say.
    simple = not any(part in expected.lower().split("-") for part in ("hant", "tw", "hk", "mo"))
    return expected if primary == "zh" and expected != "zh" and simple == (more > 0) else found
