// <engawa-room>: a room, live, in any page; docs/embedding.md tells how. Nothing here makes a document from a string, so
// that it works under `require-trusted-types-for 'script'`.

const WORDS = {
  en: {
    connecting: "Connecting…", live: "Live", reconnecting: "Reconnecting…", offline: "Offline", archived: "Archived",
    gone: "This room cannot be read here.", join: "Join", earlier: "Earlier messages", later: "Later messages", newest: "New messages",
    empty: "Nothing has been said here yet.", log: "Messages in %", edited: "(edited)", reply: "In reply to",
    older: "an earlier message", deleted: "a deleted message", pinned: "Pinned", guest: "guest", bot: "bot",
    owner: "owner", moderator: "moderator", here: "% here", watching: "% watching", many: "% new messages",
    mute: "Do not read out new messages", report: "Report",
  },
  ja: {
    connecting: "接続中…", live: "ライブ", reconnecting: "再接続中…", offline: "オフライン", archived: "アーカイブ済み",
    gone: "このルームはここでは表示できません。", join: "参加する", earlier: "以前のメッセージ", later: "以後のメッセージ", newest: "新着メッセージ",
    empty: "まだ発言はありません。", log: "%のメッセージ", edited: "（編集済み）", reply: "返信先",
    older: "以前のメッセージ", deleted: "削除されたメッセージ", pinned: "固定", guest: "ゲスト", bot: "ボット",
    owner: "オーナー", moderator: "モデレーター", here: "%人が参加中", watching: "%人が視聴中", many: "新着%件",
    mute: "新着の読み上げを止める", report: "通報",
  },
  "zh-Hans": {
    connecting: "正在连接…", live: "实时", reconnecting: "正在重新连接…", offline: "离线", archived: "已归档",
    gone: "此处无法查看这个聊天室。", join: "加入", earlier: "更早的消息", later: "更晚的消息", newest: "新消息",
    empty: "还没有人发言。", log: "“%”的消息", edited: "（已编辑）", reply: "回复",
    older: "更早的消息", deleted: "已删除的消息", pinned: "置顶", guest: "访客", bot: "机器人",
    owner: "房主", moderator: "管理员", here: "%人参与", watching: "%人观看", many: "%条新消息",
    mute: "不朗读新消息", report: "举报",
  },
  "zh-Hant": {
    connecting: "連線中…", live: "即時", reconnecting: "重新連線中…", offline: "離線", archived: "已封存",
    gone: "此處無法檢視這個聊天室。", join: "加入", earlier: "較早的訊息", later: "較晚的訊息", newest: "新訊息",
    empty: "還沒有人發言。", log: "「%」的訊息", edited: "（已編輯）", reply: "回覆",
    older: "較早的訊息", deleted: "已刪除的訊息", pinned: "置頂", guest: "訪客", bot: "機器人",
    owner: "擁有者", moderator: "版主", here: "%人參與", watching: "%人觀看", many: "%則新訊息",
    mute: "不朗讀新訊息", report: "檢舉",
  },
};

const TOLD = [
  "message", "message.edited", "message.deleted", "message.redacted", "message.reactions", "message.pinned",
  "message.unpinned", "room.changed", "room.archived", "presence",
];
const DEFAULT_LIMIT = 50;
const MOST_MESSAGES = 200;
const MOST_ROOMS = 10; // on one stream
const NEAR_END_PX = 40;
const GOOD_AFTER_MS = 10_000;
const SILENCE_MS = 65_000; // until we know how often this host's heart beats
const REST_MS = 60_000; // between looks at an archived room
const ANNOUNCE_MS = 2_000;

// Thousands come back at once.
const patience = (attempts) => Math.random() * Math.min(20_000, 500 * 2 ** attempts);
const OUTSIDE = { target: "_blank", rel: "noopener" };

/** An element; attributes that are false, null or undefined are left out. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** The start of a text, on one line. */
function excerpt(text) {
  const letters = Array.from(text.replace(/\s+/g, " "));
  return letters.length > 100 ? `${letters.slice(0, 99).join("")}…` : letters.join("");
}

/** A room's place, from any address of it. */
function placeOf(src) {
  if (!src || !URL.canParse(src, document.baseURI)) return null;
  const { protocol, origin, pathname } = new URL(src, document.baseURI);
  const path = /^\/(?:feeds|chat|embed)\/([^/]+)/.exec(pathname)?.[1];
  try {
    decodeURI(path);
  } catch {
    return null;
  }
  return path && /^https?:$/.test(protocol) ? { base: `${origin}/`, path } : null;
}

/** The words that fit a language best, and the language. */
function wordsFor(...wanted) {
  for (const tag of wanted) {
    try {
      const { language, script } = new Intl.Locale(tag).maximize();
      const words = WORDS[`${language}-${script}`] ?? WORDS[language];
      if (words) return [tag, words];
    } catch {
      // No language at all.
    }
  }
  return ["en", WORDS.en];
}

// The server sanitised a message's HTML; still, only these elements come of it, and the rest shows as text.
const KEPT = new Set(["p", "br", "a", "code", "pre", "em", "strong", "blockquote", "span"]);
const LINKED = new Set(["http:", "https:", "mailto:"]);
const TOKEN = /<(\/?)([a-z]+)((?: [a-z]+="[^"]*")*)>|[^<]+|</g;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#x27": "'", "#39": "'", nbsp: "\u00a0" };
const DEEPEST = 30;
const decoded = (text) => text.replace(/&(amp|lt|gt|quot|#x27|#39|nbsp);/g, (_, name) => ENTITIES[name]);

function nodesOf(html, mayLink) {
  const open = [["", document.createDocumentFragment()]];
  for (const [token, slash, name, attributes] of html.matchAll(TOKEN)) {
    const [innermost, parent] = open.at(-1);
    if (!KEPT.has(name)) parent.append(decoded(token));
    else if (!slash) {
      const node = elementFor(name, attributes, mayLink);
      parent.append(node);
      if (name !== "br" && open.length < DEEPEST) open.push([name, node]);
    } else if (innermost === name) open.pop();
  }
  return open[0][1];
}

function elementFor(name, attributes, mayLink) {
  if (name === "span") return make("span", { part: attributes === ' class="mention"' && "mention" });
  if (name !== "a") return make(name);
  const href = decoded(/ href="([^"]*)"/.exec(attributes)?.[1] ?? "");
  const isGood = URL.canParse(href) && LINKED.has(new URL(href).protocol) && mayLink(new URL(href));
  return isGood ? make("a", { href, part: "link", target: "_blank", rel: "nofollow ugc noopener" }) : make("span");
}

/** One stream for the rooms of a host. A reader that was `refused` asks for its room itself, and joins anew. */
class Line {
  static #lines = new Set();
  #base;
  #readers = new Set();
  #source = null;
  #retry;
  #attempts = 0;
  #openedAt = Infinity;
  #silence;
  #silenceMs = SILENCE_MS;
  #beats = new Map(); // when each room's heart beat last

  /** Shared, but for readers that are alone: a ticket is good for one room, and a host may refuse many. */
  static join(base, reader) {
    const isFor = (line) => line.#base === base && !line.#isAlone && line.#cursors(reader).length <= MOST_ROOMS;
    const line = (!reader.isAlone && [...Line.#lines].find(isFor)) || new Line(base);
    line.#readers.add(reader);
    line.#openIn(100); // several come in the same moment
    return line;
  }

  constructor(base) {
    this.#base = base;
    Line.#lines.add(this);
    addEventListener("online", this.#return);
    addEventListener("pageshow", this.#return);
    addEventListener("pagehide", this.#hangUp);
  }

  leave(reader) {
    if (!this.#readers.delete(reader)) return;
    if (this.#readers.size) {
      if (this.#source) this.#openIn(1000);
      return;
    }
    this.#hangUp();
    Line.#lines.delete(this);
    removeEventListener("online", this.#return);
    removeEventListener("pageshow", this.#return);
    removeEventListener("pagehide", this.#hangUp);
  }

  get #isAlone() {
    return [...this.#readers].some(({ isAlone }) => isAlone);
  }

  // Where two readers of a room differ, the lower: each leaves out what it knows.
  #cursors(...more) {
    const cursors = new Map();
    for (const { slug, cursor } of [...this.#readers, ...more]) {
      cursors.set(slug, Math.min(cursor, cursors.get(slug) ?? Infinity));
    }
    return [...cursors];
  }

  #address() {
    const cursors = this.#cursors();
    const isOne = cursors.length === 1;
    const url = new URL(isOne ? `feeds/${encodeURIComponent(cursors[0][0])}/stream` : "feeds/stream", this.#base);
    if (!isOne) for (const [slug] of cursors) url.searchParams.append("room", slug);
    url.searchParams.set("lastEventId", cursors.map(([slug, cursor]) => `${encodeURIComponent(slug)}:${cursor}`).join());
    for (const { ticket } of this.#readers) if (ticket) url.searchParams.set("ticket", ticket);
    return url;
  }

  #openIn(milliseconds) {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(this.#open, milliseconds);
  }

  #open = () => {
    this.#hangUp();
    const source = (this.#source = new EventSource(this.#address()));
    const on = (type, act) =>
      source.addEventListener(type, ({ data }) => {
        this.#listen();
        act(data ? JSON.parse(data) : {});
      });
    const tell = (rooms, what, ...about) => {
      for (const reader of [...this.#readers]) if (!rooms || [rooms].flat().includes(reader.slug)) reader[what](...about);
    };
    this.#listen();
    on("stream-open", () => {
      this.#openedAt = performance.now();
      tell(null, "opened");
    });
    for (const type of TOLD) on(type, (event) => tell(event.room, "told", event));
    on("stream-reset", ({ channels }) => tell(channels, "reset"));
    on("stream-error", ({ channels }) => tell(channels, "ended"));
    on("going-away", ({ retry_after }) => this.#lose(1000 * retry_after));
    on("heartbeat", ({ room }) => {
      const now = performance.now();
      if (this.#beats.has(room)) this.#silenceMs = 2000 + 2.5 * (now - this.#beats.get(room));
      this.#beats.set(room, now);
    });
    // By itself it comes back without growing delays, and after any answer but 200 never.
    source.onerror = () => (source.readyState === EventSource.CLOSED ? this.#refuse() : this.#lose());
  };

  #refuse() {
    this.#hangUp();
    for (const reader of [...this.#readers]) reader.refused();
  }

  #lose(milliseconds) {
    if (this.#isAlone) return this.#refuse();
    if (performance.now() - this.#openedAt > GOOD_AFTER_MS) this.#attempts = 0;
    this.#hangUp();
    for (const reader of this.#readers) reader.lost();
    this.#openIn(milliseconds ?? patience(this.#attempts++));
  }

  // The wire may die without a word.
  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lose(), this.#silenceMs);
  }

  #hangUp = () => {
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    this.#openedAt = Infinity;
    this.#beats.clear();
    this.#source?.close();
    this.#source = null;
  };

  #return = () => {
    if (!this.#source) this.#openIn(0);
  };
}

const STYLE = `
:host {
  --text: var(--engawa-text, light-dark(#2b2520, #ebe7df)); --muted: var(--engawa-muted, light-dark(#625a50, #b3aca2));
  --background: var(--engawa-background, light-dark(#fdfbf7, #191714)); --surface: var(--engawa-surface, light-dark(#f4f0e7, #24211d));
  --border: 1px solid var(--engawa-border, light-dark(#dfd9cd, #3d3932)); --accent: var(--engawa-accent, light-dark(#2f5d3d, #9bd1a9));
  --radius: var(--engawa-radius, 0.5rem); --pad: var(--engawa-padding, 0.75rem);
  display: block; box-sizing: border-box; block-size: 450px; overflow: hidden; container-type: inline-size; border: var(--border);
  border-radius: var(--radius); background: var(--background); color: var(--text); font: var(--engawa-font, 1rem/1.6 system-ui, sans-serif);
}
:host([theme=auto]) { color-scheme: light dark; }
:host([theme=light]) { color-scheme: light; }
:host([theme=dark]) { color-scheme: dark; }
:host([hidden]), [hidden], :host([header=hide]) [part=header] { display: none !important; }
* { box-sizing: border-box; margin: 0; padding: 0; }
ol, ul { list-style: none; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
[part=frame] { display: flex; flex-direction: column; block-size: 100%; overflow-wrap: anywhere; }
[part=header], [part=meta], [part=reactions] { display: flex; gap: 0 0.6rem; align-items: baseline; }
[part=meta], [part=reactions] { flex-wrap: wrap; }
[part=header], [part=pinned] { padding: 0.4rem var(--pad); border-block-end: var(--border); }
[part=title] { flex: 1; font-weight: 600; }
[part=title], [part=pinned], [part=reply] { min-inline-size: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
[part=title], [part=permalink] { color: inherit; text-decoration: none; &:hover { text-decoration: underline; } }
[part=status], [part=presence], [part=join] { white-space: nowrap; }
[part=status], [part=presence], [part=pinned], [part=meta], [part=reply], [part=reactions], [part=empty], button { font-size: 0.875em; }
[part=status], [part=presence], [part=pinned], [part=meta], [part=reply], [part=empty], blockquote { color: var(--muted); }
.place { position: relative; flex: 1; min-block-size: 0; }
[part=log] { block-size: 100%; overflow-y: auto; overflow-anchor: none; }
.run { padding-block: 0.3rem; }
[part=message] { padding: 0.35rem var(--pad); }
[part=author] { color: var(--text); }
[part=author], [part=mention], [part=newest] { font-weight: 600; }
[part=badge], [part=reaction] { padding: 0 0.45rem; border: var(--border); border-radius: 1rem; }
[part=report] { margin-inline-start: auto; color: inherit; }
[part=reply], blockquote { padding-inline-start: 0.6rem; border-inline-start: 3px solid; }
[part=text] > * + * { margin-block-start: 0.4rem; }
code, pre { background: var(--surface); font: 0.9em ui-monospace, monospace; }
pre { padding: 0.5rem; white-space: pre-wrap; }
[part=empty], [part=gone], slot { display: block; padding: var(--pad); }
ol:not(:empty) ~ [part=empty] { display: none; }
button { padding: 0.3rem 0.9rem; border: var(--border); border-radius: var(--radius); background: var(--surface); color: inherit; font-family: inherit; cursor: pointer; }
[part=earlier], [part=later] { display: block; margin: 0.5rem auto; }
[part=newest] { position: absolute; inset: auto 0 0.75rem; margin: auto; inline-size: fit-content; background: var(--accent); color: var(--background); }
:host([order=newest]) [part=newest] { inset-block: 0.75rem auto; }
.aside:not(:focus) { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@container (inline-size < 26rem) { [part=presence] { display: none; } }
`;
let sheet;

// What a changed attribute asks for: 1 to draw anew, 2 to load, too, 3 to begin anew.
const CHANGES = { src: 3, ticket: 3, limit: 2, from: 2, order: 1, tz: 1, lang: 1, theme: 0, header: 0, announce: 0 };

class EngawaRoom extends HTMLElement {
  static observedAttributes = Object.keys(CHANGES);

  #root = this.attachShadow({ mode: "open" });
  #parts = {};
  #shown = new Map(); // by mid: an unbroken run up to the newest
  #about = {}; // what is known of the room; pinned is a message or its mid
  #presence = {};
  #earlier = null; // what to ask for as `before`
  #later = false; // what begins with a message does not grow by itself beyond its limit
  #most = 0;
  #meanwhile = null; // events since more was asked for: they may concern it
  #isGrown = false;
  #follows = true;
  #unseen = false;
  #height = 0;
  #words = WORDS.en;
  #tag = "en";
  #place = null;
  #provider = null;
  #reader = null;
  #line = null;
  #loading = new AbortController();
  #attempts = 0;
  #openedAt = Infinity;
  #isRunning = false;
  #todo = 0;
  #due = [];
  #toSay = [];
  #timers = {};
  #sizes = new ResizeObserver(() => this.#resized());

  constructor() {
    super();
    if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(STYLE);
    this.#root.adoptedStyleSheets = [sheet];
  }

  get state() {
    return this.getAttribute("state") ?? "";
  }

  get ticketProvider() {
    return this.#provider;
  }

  set ticketProvider(provider) {
    this.#provider = provider;
    this.#change(3);
  }

  connectedCallback() {
    if (this.#isRunning) return; // moved within its page
    this.#isRunning = true;
    for (const name of [...Object.keys(CHANGES), "ticketProvider"]) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name]; // set before this was defined, and in the way now
      delete this[name];
      this[name] = value;
    }
    this.#change(3);
  }

  disconnectedCallback() {
    queueMicrotask(() => {
      if (this.isConnected || !this.#isRunning) return;
      this.#isRunning = false;
      this.#stop();
      this.#clear();
      this.#sizes.disconnect();
      this.removeAttribute("state");
    });
  }

  attributeChangedCallback(name, was, is) {
    if (was !== is) this.#change(CHANGES[name]);
  }

  // A page sets several, one by one.
  #change(what) {
    if (!this.#todo) {
      queueMicrotask(() => {
        const todo = this.#todo;
        this.#todo = 0;
        if (!this.#isRunning) return;
        if (todo === 3) this.#begin();
        else if (todo) this.#draw();
        if (todo === 2 && this.state !== "gone") this.#load();
      });
    }
    this.#todo = Math.max(this.#todo, what);
  }

  #begin() {
    this.#stop();
    this.#place = placeOf(this.getAttribute("src"));
    this.#attempts = 0;
    this.#shown.clear();
    this.#draw();
    this.#clear();
    if (!this.#place) return this.#end({ code: "src.invalid", detail: "src is the address of a room." });
    this.#become("connecting");
    this.#load();
  }

  #stop() {
    this.#loading.abort();
    this.#line?.leave(this.#reader);
    this.#line = this.#meanwhile = null;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
    this.#due = [];
  }

  /** The room as it is now, and then what happens in it. */
  async #load() {
    this.#stop();
    const { signal } = (this.#loading = new AbortController());
    const asked = { src: this.getAttribute("src"), room: decodeURI(this.#place.path) };
    let ticket = this.getAttribute("ticket");
    try {
      if (this.#provider) ticket = await this.#provider(asked);
      let page = await this.#ask({}, ticket, signal);
      if (page.error && !signal.aborted) {
        // Perhaps the page has a ticket for it.
        let answer;
        this.#tell("ticket", { ...asked, respondWith: (ticket) => (answer = ticket) });
        if ((answer = await answer)) page = await this.#ask({}, (ticket = answer), signal);
      }
      if (signal.aborted) return;
      if (page.error) this.#end(page.error);
      else this.#follow(page, ticket);
    } catch (error) {
      if (!signal.aborted) this.#retry({ code: "room.unreachable", detail: String(error) });
    }
  }

  async #ask(query, ticket, signal) {
    const { base, path } = this.#place;
    const asked = new URLSearchParams({ limit: this.#limit, ...(this.#from && { from: this.#from }), ...query });
    const answer = await fetch(`${base}feeds/${path}/messages?${asked}`, {
      headers: ticket ? { Authorization: `Bearer ${ticket}` } : {},
      credentials: "omit",
      referrerPolicy: "no-referrer",
      signal,
    });
    if (answer.ok || [401, 403, 404].includes(answer.status)) return answer.json();
    throw new Error(`The room answered ${answer.status}.`);
  }

  #follow(page, ticket) {
    this.#place.path = encodeURIComponent(page.room);
    this.#about = { ...page.about, pinned: page.pinned };
    this.#parts.slot.hidden = true;
    const isFirst = !this.#shown.size;
    this.#keeping(() => {
      const mids = new Set(page.messages.map(({ mid }) => mid));
      for (const mid of [...this.#shown.keys()]) if (!mids.has(mid)) this.#remove(mid);
      this.#isGrown = Boolean(this.#from);
      this.#earlier = page.earlier;
      this.#later = page.later;
      this.#most = this.#limit;
      for (const message of page.messages) this.#put(message);
    });
    if (this.#from && isFirst) this.#toEnd(!this.#isNewestFirst);
    this.#tell("load", { messages: page.messages });
    this.#reader = {
      slug: page.room,
      cursor: page.head,
      ticket,
      isAlone: ticket || this.#attempts > 2,
      opened: () => {
        this.#openedAt = performance.now();
        this.#become("live");
      },
      told: (event) => this.#hear(event),
      lost: () => this.#lose(),
      refused: () => this.#retry(),
      reset: () => this.#load(),
      ended: () => this.#load(this.#clear()), // which is told why
    };
    if (this.#about.archived) this.#rest();
    else this.#line = Line.join(this.#place.base, this.#reader);
  }

  // It may be opened again, and something taken out of it.
  #rest() {
    this.#line?.leave(this.#reader);
    this.#become("archived");
    this.#timers.load = setTimeout(() => this.#load(), REST_MS);
  }

  #retry(error) {
    if (performance.now() - this.#openedAt > GOOD_AFTER_MS) this.#attempts = 0;
    this.#openedAt = Infinity;
    this.#stop();
    this.#lose();
    if (error) this.#tell("error", error);
    this.#timers.load = setTimeout(() => this.#load(), patience(this.#attempts++));
  }

  #end(error) {
    this.#stop();
    this.#clear();
    this.#become("gone");
    this.#tell("error", error);
  }

  #lose() {
    this.#become(navigator.onLine ? "reconnecting" : "offline");
  }

  #become(state) {
    if (state === this.state) return;
    this.setAttribute("state", state);
    this.#presence = {};
    this.#head();
    this.#tell("state", { state });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(`engawa:${type}`, { detail, bubbles: true, composed: true }));
  }

  #hear(event) {
    if (event.type === "presence") {
      this.#presence = event;
      this.#head();
    } else if (event.id > this.#reader.cursor) {
      this.#reader.cursor = event.id;
      this.#due.push(event);
      this.#timers.apply ??= setTimeout(() => this.#applyAll(), 10); // many at once are laid out once
    }
  }

  #applyAll() {
    delete this.#timers.apply;
    const events = this.#due.splice(0);
    this.#keeping(() => events.forEach((event) => this.#apply(event)));
    for (const event of events) this.#tell(event.type === "message" ? "message" : "change", event);
  }

  get #limit() {
    const limit = Number(this.getAttribute("limit"));
    return Number.isInteger(limit) && limit > 0 ? Math.min(limit, MOST_MESSAGES) : DEFAULT_LIMIT;
  }

  get #from() {
    return /^[0-9A-HJKMNP-TV-Z]{26}$/.test(this.from) ? this.from : "";
  }

  get #isNewestFirst() {
    return this.getAttribute("order") === "newest";
  }

  get #newest() {
    return this.#parts.list[this.#isNewestFirst ? "firstElementChild" : "lastElementChild"];
  }

  get #oldest() {
    return this.#parts.list[this.#isNewestFirst ? "lastElementChild" : "firstElementChild"];
  }

  async #loadMore(query) {
    const { signal } = this.#loading;
    if (this.#meanwhile) return;
    this.#meanwhile = [];
    try {
      const page = await this.#ask(query, this.#reader.ticket, signal);
      if (signal.aborted || page.error) return;
      this.#isGrown = true;
      if (query.before) this.#earlier = page.earlier;
      else this.#later = page.later;
      this.#most += this.#limit;
      this.#keeping(() => {
        for (const message of page.messages) this.#put(message);
        for (const event of this.#meanwhile) this.#apply(event);
      });
    } catch {
      // The button is still there to try again.
    } finally {
      if (!signal.aborted) this.#meanwhile = null;
    }
  }

  #apply(event) {
    const { type, mid } = event;
    const about = this.#about;
    const known = this.#shown.get(mid)?.message;
    const isPinned = about.pinned?.mid === mid;
    if (this.#meanwhile?.includes(event) === false) this.#meanwhile.push(event);
    switch (type) {
      case "message":
      case "message.edited":
        if (isPinned) about.pinned = event;
        if (known || (!this.#isBefore(mid) && !this.#isBeyond(mid))) this.#put(event);
        break;
      case "message.deleted":
        if (isPinned) about.pinned = null;
        this.#remove(mid);
        break;
      case "message.redacted":
        if (known) this.#put({ ...known, message: "", html: "" });
        break;
      case "message.reactions":
        if (known) this.#put({ ...known, reactions: event.reactions });
        break;
      case "message.pinned":
        about.pinned = known ?? { mid };
        if (!known) this.#find(about.pinned);
        break;
      case "message.unpinned":
        about.pinned = null;
        break;
      case "room.archived":
        about.archived = true;
        this.#rest();
        break;
      case "room.changed":
        for (const name of ["title", "language"]) about[name] = event[name] ?? about[name];
    }
    if (type === "message") this.#say(event);
    else if (!/react|pin/.test(type)) this.#unsay(mid);
  }

  /** The same at the other end, where it does not follow the room. */
  #isBeyond(mid) {
    if (!this.#from || mid < this.#newest?.dataset.mid) return false;
    if (this.#most === 1) return mid !== this.#from; // no other in its place
    return (this.#later ||= this.#shown.size >= this.#most);
  }

  /** What changes meanwhile is another object. */
  async #find(pinned) {
    const page = await this.#ask({ limit: 1 }, this.#reader.ticket, this.#loading.signal).catch(() => ({}));
    if (page.pinned?.mid === pinned.mid) Object.assign(pinned, page.pinned);
    this.#head();
  }

  /** Whether a message comes before those that are shown: there would be a gap. */
  #isBefore(mid) {
    return mid < this.#from || (this.#earlier && mid < this.#oldest?.dataset.mid);
  }

  #put(message) {
    const { mid } = message;
    const item = this.#item(message);
    const known = this.#shown.get(mid);
    this.#shown.set(mid, { message, item });
    if (known) known.item.replaceWith(item);
    else {
      const [older, newer] = ["previousElementSibling", "nextElementSibling"];
      let last = this.#newest; // most come after all others
      while (last?.dataset.mid > mid) last = last[this.#isNewestFirst ? newer : older];
      if (last === this.#newest) this.#unseen = true;
      if (last) last[this.#isNewestFirst ? "before" : "after"](item);
      else this.#parts.list[this.#isNewestFirst ? "append" : "prepend"](item);
    }
    this.#answered(mid);
    while (this.#follows && !this.#isGrown && this.#shown.size > this.#limit) {
      this.#remove(this.#oldest.dataset.mid);
      this.#earlier = this.#oldest.dataset.mid;
    }
  }

  #remove(mid) {
    const { item } = this.#shown.get(mid) ?? {};
    if (!item) return;
    this.#shown.delete(mid);
    if (item.contains(this.#root.activeElement)) this.#parts.log.focus({ preventScroll: true });
    item.remove();
    this.#answered(mid);
  }

  /** What is shown of a message where it is answered. */
  #answered(mid) {
    for (const { message, item } of this.#shown.values()) {
      if (message.reply_to === mid) item.querySelector("[part=reply]").replaceWith(this.#reply(mid));
    }
  }

  #clear() {
    this.#shown.clear();
    this.#about = {};
    this.#earlier = this.#later = null;
    this.#follows = true;
    this.#toSay = [];
    this.#parts.list.replaceChildren();
    this.#parts.said.textContent = "";
    this.#head();
  }

  /** All of it anew, in the words and the order that are asked for now. */
  #draw() {
    const { lang } = this.closest("[lang]") ?? document.documentElement;
    const words = ([this.#tag, this.#words] = wordsFor(lang, ...navigator.languages))[1];
    const { base, path } = this.#place ?? {};
    const parts = this.#parts;
    const part = (tag, name, attributes, ...children) =>
      (parts[name] = make(tag, { part: name, ...attributes }, ...children));
    const button = (name, act) => {
      part("button", name, { type: "button" }, words[name]).addEventListener("click", act);
      return parts[name];
    };
    parts.list = part("ol", "messages");
    const run = [
      button("earlier", () => this.#loadMore({ before: this.#earlier })),
      parts.list,
      button("later", () => this.#loadMore({ from: this.#newest.dataset.mid, limit: this.#limit + 1 })),
    ];
    if (this.#isNewestFirst) run.reverse();
    run.push(part("p", "empty", {}, words[this.#from ? "deleted" : "empty"]));
    parts.run = make("div", { class: "run" }, ...run);
    part("div", "log", { role: "log", tabindex: 0, "aria-live": "off" }, parts.run);
    parts.log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    const mute = button("mute", () => {
      this.announce = this.announce === "off" ? null : "off";
      mute.ariaPressed = this.announce === "off";
    });
    mute.className = "aside";
    mute.ariaPressed = this.announce === "off";
    parts.said = make("p", { class: "aside", role: "status" });
    parts.slot = make("slot", { hidden: parts.slot?.hidden });
    const frame = part(
      "div",
      "frame",
      { lang: this.#tag },
      part(
        "header",
        "header",
        {},
        part("a", "title", { href: `${base}feeds/${path}/`, ...OUTSIDE }, make("bdi")),
        part("span", "status", { role: "status" }),
        part("span", "presence"),
        part("a", "join", { href: `${base}chat/${path}/`, ...OUTSIDE }, words.join),
      ),
      part("p", "pinned"),
      part("p", "gone", {}, words.gone),
      make("div", { class: "place" }, parts.log, button("newest", () => this.#toNewest(parts.log.focus()))),
      mute,
      parts.said,
      parts.slot,
    );
    this.#root.replaceChildren(frame);
    const shown = [...this.#shown.values()];
    this.#shown.clear();
    this.#follows = true;
    for (const { message } of shown) this.#put(message);
    this.#head();
    this.#toNewest();
    this.#sizes.disconnect();
    this.#sizes.observe(parts.log);
    this.#sizes.observe(parts.run);
  }

  /** What is said about the room, around its messages. */
  #head() {
    const parts = this.#parts;
    const { title = "", language = "", archived, pinned } = this.#about;
    const { participants, viewers } = this.#presence;
    const words = this.#words;
    const isGone = this.state === "gone";
    const say = (element, text) => element.textContent === text || (element.textContent = text);
    say(parts.title.firstChild, title);
    say(parts.status, words[this.state] ?? "");
    const [here, watching] = [words.here.replace("%", participants), words.watching.replace("%", viewers)];
    say(parts.presence, viewers >= 0 ? `${here} · ${watching}` : "");
    say(parts.pinned, pinned?.author ? `${words.pinned} · ${pinned.author.name}: ${excerpt(pinned.message)}` : "");
    parts.log.ariaLabel = words.log.replace("%", () => title);
    parts.list.lang = language;
    parts.header.hidden = parts.log.hidden = isGone;
    parts.gone.hidden = !isGone;
    parts.slot.hidden ||= isGone;
    parts.join.hidden = Boolean(archived);
    parts.pinned.hidden = !pinned?.author;
    parts.earlier.hidden = !this.#earlier;
    parts.later.hidden = !this.#later;
    parts.empty.hidden = !/live|archived/.test(this.state);
  }

  #item({ mid, at, author, edited_at, reply_to, html, reactions = {} }) {
    const words = this.#words;
    const { base, path } = this.#place;
    const room = `${base}feeds/${path}/`;
    const rank = author.kind === "user" ? author.role : author.kind;
    const meta = [make("bdi", { part: "author" }, author.name)];
    if (/^(owner|moderator|guest|bot)$/.test(rank)) meta.push(make("span", { part: "badge" }, words[rank]));
    meta.push(make("a", { part: "permalink", href: `${room}m/${mid}/`, ...OUTSIDE }, this.#time(at)));
    if (edited_at) meta.push(make("span", { part: "edited" }, words.edited));
    meta.push(make("a", { part: "report", href: `${room}report?mid=${mid}`, ...OUTSIDE }, words.report));
    const chips = Object.entries(reactions).map((pair) => make("li", { part: "reaction" }, pair.join(" ")));
    return make(
      "li",
      { part: "message", "data-mid": mid },
      make("div", { part: "meta" }, ...meta),
      ...(reply_to ? [this.#reply(reply_to)] : []),
      make("div", { part: "text", dir: "auto" }, nodesOf(html, (url) => this.#mayLink(url))),
      ...(chips.length ? [make("ul", { part: "reactions" }, ...chips)] : []),
    );
  }

  /** Who embeds one room embeds one: no way into another of that host. */
  #mayLink(url) {
    const { base, path } = this.#place;
    return `${url.origin}/` !== base || placeOf(url.href)?.path === path;
  }

  #reply(mid) {
    const { message } = this.#shown.get(mid) ?? {};
    const what = message
      ? [make("bdi", {}, message.author.name), " ", make("bdi", {}, excerpt(message.message))]
      : [this.#words[this.#isBefore(mid) ? "older" : "deleted"]];
    return make("p", { part: "reply" }, make("span", { class: "aside" }, `${this.#words.reply} `), ...what);
  }

  #time(at) {
    const moment = new Date(at);
    let timeZone;
    try {
      ({ timeZone } = new Intl.DateTimeFormat("en", { timeZone: this.tz }).resolvedOptions());
    } catch {
      // No such zone: the reader's own.
    }
    const dateStyle = moment.toDateString() === new Date().toDateString() ? undefined : "medium";
    const text = moment.toLocaleString(this.#tag, { dateStyle, timeStyle: "short", timeZone });
    return make("time", { part: "time", datetime: at }, text);
  }

  /** Do something to the list, and leave what is being read where it is. */
  #keeping(act) {
    const { log, list, newest } = this.#parts;
    const topOf = (element) => element.getBoundingClientRect().top;
    const isVisible = (item) => item.getBoundingClientRect().bottom > topOf(log);
    const read = this.#follows ? [] : [...list.children].filter(isVisible).slice(0, 9);
    const tops = read.map((item) => [item.dataset.mid, topOf(item)]);
    this.#unseen = false;
    act();
    this.#head();
    if (this.#follows) return this.#toNewest();
    const [mid, top] = tops.find(([mid]) => this.#shown.has(mid)) ?? [];
    if (mid) log.scrollTop += topOf(this.#shown.get(mid).item) - top;
    if (this.#unseen) newest.hidden = false;
  }

  #toNewest() {
    this.#follows = true;
    this.#parts.newest.hidden = true;
    this.#toEnd(this.#isNewestFirst);
  }

  #toEnd(isTop) {
    const { log } = this.#parts;
    log.scrollTop = isTop ? 0 : log.scrollHeight;
  }

  #scrolled() {
    const { log, newest } = this.#parts;
    if (!log.clientHeight) return; // not laid out
    const rest = this.#isNewestFirst ? log.scrollTop : log.scrollHeight - log.clientHeight - log.scrollTop;
    const isNear = rest < NEAR_END_PX;
    if (isNear && !this.#follows) {
      newest.hidden = true;
      this.#isGrown = Boolean(this.#from);
    }
    this.#follows = isNear;
  }

  #resized() {
    if (this.#follows) this.#toNewest();
    const { log, run } = this.#parts;
    if (!log.clientWidth) return; // hidden
    const height = this.offsetHeight - log.clientHeight + run.offsetHeight;
    if (height !== this.#height) this.#tell("resize", { height: (this.#height = height) });
  }

  // What is read out: live messages, some at a time

  #say(message) {
    if (this.announce === "off") return;
    this.#toSay.push(message);
    this.#timers.say ??= setTimeout(() => {
      delete this.#timers.say;
      const each = this.#toSay.splice(0).map(({ author, message }) => `${author.name}: ${excerpt(message)}`);
      const many = this.#words.many.replace("%", each.length);
      this.#parts.said.textContent = each.length > 3 ? many : each.join("\n");
    }, ANNOUNCE_MS);
  }

  #unsay(mid) {
    this.#toSay = this.#toSay.filter((message) => message.mid !== mid);
    this.#parts.said.textContent = "";
  }
}

// Frameworks set properties where there are some; every element has lang.
for (const name of Object.keys(CHANGES)) {
  if (name === "lang") continue;
  Object.defineProperty(EngawaRoom.prototype, name, {
    get() {
      return this.getAttribute(name);
    },
    set(value) {
      if (value == null || value === false) this.removeAttribute(name);
      else this.setAttribute(name, value);
    },
  });
}

if (!customElements.get("engawa-room")) customElements.define("engawa-room", EngawaRoom);
