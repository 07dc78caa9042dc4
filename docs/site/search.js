/* Search without a server: search-index.js, loaded with the first search, sets nnblasIndex to a list of [address, title,
 * page, text, other names].  index.html?q=WORDS searches at once. */
"use strict";

(() => {
  const input = document.getElementById("query"), list = document.getElementById("found"), shown = 25;
  let entries = [], loading = null, chosen = -1;

  const entry = ([address, title, page, text, names]) => {
    const lower = title.toLowerCase(), all = `${title} ${names} ${page} ${text}`.toLowerCase();
    return { address, title, page, text, lower, all, names: [lower, ...names.toLowerCase().split(" ")] };
  };

  const load = () => loading ??= new Promise((done) => {
    const script = document.createElement("script");
    script.src = "search-index.js";
    script.onload = () => { entries = nnblasIndex.map(entry); done(); };
    document.head.append(script);
  });

  /* How well an entry answers one word: 0 if it does not have it. */
  const points = (entry, word) => {
    if (!entry.all.includes(word)) return 0;
    if (entry.names.includes(word)) return 1000;
    if (entry.lower.startsWith(word)) return 300 - Math.min(100, entry.lower.length);
    if (entry.lower.includes(word)) return 150 - Math.min(100, entry.lower.length);
    return 1 + Math.min(20, entry.all.split(word).length);
  };

  const search = (text) => {
    const words = text.toLowerCase().replace(/\(\)/g, "").split(/\s+/).filter(Boolean);
    if (!words.length) return null;
    const found = [];
    for (const entry of entries) {
      const each = words.map((word) => points(entry, word));
      if (each.every(Boolean)) found.push({ entry, words, score: each.reduce((a, b) => a + b) });
    }
    return found.sort((a, b) => b.score - a.score).slice(0, shown);
  };

  /* The text around the first word, with all words marked. */
  const excerpt = ({ entry, words }) => {
    const at = Math.max(0, entry.text.toLowerCase().indexOf(words[0]) - 60), p = document.createElement("p");
    const part = (at ? "… " : "") + entry.text.slice(at, at + 180) + (entry.text.length > at + 180 ? " …" : "");
    const split = new RegExp(`(${words.map((w) => w.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "gi");
    part.split(split).forEach((piece, i) => {
      const node = i % 2 ? document.createElement("mark") : document.createTextNode(piece);
      if (i % 2) node.textContent = piece;
      p.append(node);
    });
    return p;
  };

  const item = (hit) => {
    const li = document.createElement("li"), a = document.createElement("a");
    const title = document.createElement("b"), page = document.createElement("small");
    title.textContent = hit.entry.title;
    page.textContent = hit.entry.page;
    a.href = hit.entry.address;
    a.append(title, page, excerpt(hit));
    a.addEventListener("click", () => { list.hidden = true; });
    li.append(a);
    return li;
  };

  const show = async () => {
    await load();
    const found = search(input.value);
    list.hidden = !found;
    chosen = -1;
    list.replaceChildren(...(found || []).map(item));
    if (found && !found.length) {
      const none = document.createElement("li");
      none.className = "none";
      none.textContent = "Nothing was found.";
      list.append(none);
    }
  };

  const move = (by) => {
    const links = [...list.querySelectorAll("a")];
    if (!links.length) return;
    links.forEach((a) => a.classList.remove("chosen"));
    chosen = (chosen + by + links.length) % links.length;
    links[chosen].classList.add("chosen");
    links[chosen].scrollIntoView({ block: "nearest" });
  };

  input.addEventListener("input", show);
  input.addEventListener("focus", show);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Escape") { list.hidden = true; input.blur(); }
    else if (event.key === "Enter") list.querySelectorAll("a")[Math.max(0, chosen)]?.click();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.matches("input, textarea") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    input.focus();
  });
  document.addEventListener("click", (event) => { if (!event.target.closest(".search")) list.hidden = true; });

  const asked = new URLSearchParams(location.search).get("q");
  if (asked) {
    input.value = asked;
    show();
  }
})();
