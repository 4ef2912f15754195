// @ts-check

// As chat/writing.py has them. Frequent characters that are written so in one of the two ways of writing Chinese, and
// neither in the other nor in Japanese.
const SIMPLIFIED =
  "们这说时为对发过还吗让该问间门难谁请谢认识话语读给经结线红级纪约纸细终组绍织绝统继续维综绿缘车轮软转轻较载输东乐买卖亲从仅众优伟传伤价伦债倾儿兴养兽冲冻净凉凤击创则刚别剧办动务劳势劲华单卫厂厅历压厉变" +
  "听员响团园围图圆场块坚坏处备头夺奖妇妈娱孙宁实审宪宽导尔尘尝层岁岗岛币帅师带帮广庆库应废开异弃张弹归录彻忆忧怀态总恶恼悬惊惯愿戏战户执扩扫扬扰抚抢护报拟拥择损摆敌无显晓暂术杀杂权杨极构标树样桥检欢气毕" +
  "汉汤沟沪泪泽洁测济浓润涨满滚灭灵热爱爷狮环现玛疗疯监盘码砖础确离种积稳穷笔签简类粮紧罗罚罢职联肃肠肤胜脑脸舰艺节苏药荣获营萧虑虽虾见观规视觉览订计讨训议记讲许论设访证评词试诗详误课调谈贝负财责败货质贵" +
  "费资赏赛赵赶跃达迁迈运进远违连迟选遗邮邻郑针钟钢钱铁银链销错键镇镜长闭闲闻阅阳阴阵阶际陆陈险雾页顶项顺须顾顿预领频题额风飞饭饮饿馆马驾验骑鱼鲁鲜鸟鸡鸣鸭齐龙龟么";
const TRADITIONAL =
  "們這說麼嗎對發裡沒會國學讓點當來兩從應歡觀關變邊辦亂爭佔價傳兒內劍勞區單卻參嚴圍圓圖團壓壞聲處夠獎妳媽實寫寶將專屬歲幫廣廢彈徑惡惱懷戰戲戶擇擔據擴攝數斷曉條樂樣權橫檢櫻歷歸殘氣淨淺溫滿濕濟澀灣營爐牠狀" +
  "獨產畫盡眾禮稱穩竊絕經綠緣總續繼藝藥號蟲裝覺覽讀證譯豐賣轉輕辭遞遲邏醫釋錢錄鐵險隱雙雜靈靜顯驗體鬥麥黃齊齡龜臺欸嘅咗冇啲嚟";

/** Letters of what is not written in Latin ones. @type {[string, RegExp][]} */
const SCRIPTS = [
  ["ru uk be bg mk sr kk ky mn tg", /[Ѐ-ԯ]/u],
  ["el", /[Ͱ-Ͽ]/u],
  ["he yi", /[֐-׿]/u],
  ["ar fa ur ps ug", /[؀-ۿ]/u],
  ["hi mr ne sa", /[ऀ-ॿ]/u],
  ["bn as", /[ঀ-৿]/u],
  ["ta", /[஀-௿]/u],
  ["th", /[฀-๿]/u],
  ["ka", /[Ⴀ-ჿ]/u],
  ["hy", /[԰-֏]/u],
];
const LATIN = /[A-Za-zÀ-ÖØ-öø-ɏ]/u;
const KANA = /[ぁ-ゖァ-ヺㇰ-ㇿｦ-ﾝ]/gu;
const HANGUL = /[ᄀ-ᇿㄱ-ㆎ가-힣]/gu;
const HAN = /[㐀-䶿一-鿿豈-﫿\u{20000}-\u{3ffff}]/u;
const SIMPLIFIED_ONLY = new RegExp(`[${SIMPLIFIED}]`, "gu");
const TRADITIONAL_ONLY = new RegExp(`[${TRADITIONAL}]`, "gu");
const WRITTEN_IN_HAN = ["ja", "zh", "ko"];

/**
 * What language a text is in: a BCP 47 tag, what is expected where the text may be in that. Empty where the script does
 * not say, and null where it is at least one of those that write Han, so that the reader's own may be the best guess.
 * @param {string} text
 * @param {string} [expected]
 */
export function languageOf(text, expected = "") {
  const primary = expected.split("-")[0].toLowerCase();
  const kana = count(text, KANA);
  const hangul = count(text, HANGUL);
  if (kana || hangul) {
    const found = kana >= hangul ? "ja" : "ko";
    return primary === found ? expected : found;
  }
  if (HAN.test(text)) return ofHan(text, primary, expected);
  if (!primary || WRITTEN_IN_HAN.includes(primary)) return "";
  const letters = SCRIPTS.find(([languages]) => languages.split(" ").includes(primary))?.[1] ?? LATIN;
  return letters.test(text) ? expected : "";
}

/** @param {string} text @param {string} primary @param {string} expected */
function ofHan(text, primary, expected) {
  const more = count(text, SIMPLIFIED_ONLY) - count(text, TRADITIONAL_ONLY);
  if (more === 0) return WRITTEN_IN_HAN.includes(primary) ? expected : null;
  // Where it agrees, what was said of the room is more exact: zh-HK, say.
  const isSimple = !/-(hant|tw|hk|mo)\b/iu.test(expected);
  if (primary === "zh" && expected !== "zh" && isSimple === more > 0) return expected;
  return more > 0 ? "zh-Hans" : "zh-Hant";
}

/** @param {string} text @param {RegExp} what */
const count = (text, what) => text.match(what)?.length ?? 0;
