"use strict";
(() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const byId = (id) => document.getElementById(id);
  const SHOWN = 10, FILES = 20, ROWS = 50, SECONDS = 60;
  let language = facts.language, token = "", model = null, waiting = null, busy = false, shown = [];
  if (!language) language = (navigator.languages || [navigator.language]).some((l, i) => i === 0 && /^zh/i.test(l)) ? "zh" : "en";

  function w(key, values) {
    let words = facts.words[language][key];
    for (const [name, value] of Object.entries(values || {})) words = words.split("{" + name + "}").join(value);
    return words;
  }

  function make(tag, content, attributes) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    for (const part of Array.isArray(content) ? content : [content]) if (part !== null && part !== undefined) made.append(part);
    return made;
  }

  function speak() {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    for (const part of document.querySelectorAll("[data-w]")) part.textContent = w(part.dataset.w);
    for (const part of document.querySelectorAll("[data-l]")) part.setAttribute("aria-label", w(part.dataset.l));
    const other = byId("language");
    other.textContent = language === "zh" ? "English" : "中文";
    other.lang = language === "zh" ? "en" : "zh-CN";
    document.title = w("title") + " · headstart";
    know();
    byId("answers").replaceChildren(...shown.map((answer) => article(...answer)));
  }

  function tell(state, error) {
    byId("state").textContent = state || "";
    byId("error").textContent = error || "";
  }

  async function call(path, options) {
    const headers = Object.assign({}, (options || {}).headers);
    if (token) headers.authorization = "Bearer " + token;
    let response;
    try {
      response = await fetch(path, Object.assign({}, options, { headers, cache: "no-store", credentials: "omit" }));
    } catch (_) {
      throw new Error(w("error.network"));
    }
    let body = null;
    try { body = await response.json(); } catch (_) { /* an answer of something in between: its status says enough */ }
    if (response.ok || (response.status === 422 && body && body.predictions)) return body;
    if (response.status === 401) askForToken();
    const key = "error." + response.status;
    const words = facts.words[language][key] ? w(key, { seconds: response.headers.get("retry-after") || "1" }) : w("error.other", { status: response.status });
    throw new Error(body && body.error && response.status !== 401 ? words + " (" + body.error + ")" : words);
  }

  function askForToken() {
    byId("token-form").hidden = false;
    byId("token").focus();
  }

  async function learn() {
    try {
      model = await call("model");
      byId("token-form").hidden = true;
      tell();
      fields();
      know();
      return true;
    } catch (error) {
      tell("", error.message);
      return false;
    }
  }

  function know() {
    const evidence = model && model.evidence;
    const score = evidence && evidence.metrics && evidence.metrics[facts.headline];
    byId("known").hidden = !model;
    if (!model) return;
    const parts = [];
    if (model.classes.length) parts.push(w("known.classes", { count: model.classes.length }));
    if (score && [score.value, score.low, score.high].every((number) => typeof number === "number"))
      parts.push(w("known.score", { metric: facts.metrics[language], score: score.value.toFixed(2), low: score.low.toFixed(2), high: score.high.toFixed(2), rows: evidence.n_test }));
    byId("known").textContent = parts.join(" · ");
  }

  function fields() {
    const place = byId("fields"), columns = model.columns;
    if (!place || facts.modality === "text" && columns.length < 2 || !columns.length || columns.length > 60) return;
    place.replaceChildren();
    columns.forEach((name, number) => {
      const id = "cell-" + number, long = facts.modality === "text";
      const input = make(long ? "textarea" : "input", null, { id, autocomplete: "off", ...(long ? { rows: "3" } : { type: "text" }) });
      input.dataset.column = name;
      if (isNumber(name)) input.inputMode = "decimal";
      place.append(make("div", [make("label", name, { for: id }), input]));
    });
  }

  const isNumber = (name) => ((model && model.types) || {})[name] === "number";

  function cell(name, text) {
    const trimmed = text.trim();
    if (!trimmed) return null;
    const types = model && model.types;
    const numeric = types && name in types ? isNumber(name) : true;
    return numeric && !Number.isNaN(Number(trimmed)) ? Number(trimmed) : text;
  }

  function parse(text) {
    const first = text.split("\n")[0], mark = ["\t", ";", ","].find((c) => first.includes(c)) || ",";
    const rows = [[]];
    let word = "", quoted = false;
    for (let at = 0; at < text.length; at++) {
      const c = text[at];
      if (quoted) {
        if (c === '"' && text[at + 1] === '"') { word += c; at++; }
        else if (c === '"') quoted = false;
        else word += c;
      } else if (c === '"' && !word.trim()) { quoted = true; word = ""; }
      else if (c === mark) { rows[rows.length - 1].push(word); word = ""; }
      else if (c === "\n") { rows[rows.length - 1].push(word); word = ""; rows.push([]); }
      else if (c !== "\r") word += c;
    }
    rows[rows.length - 1].push(word);
    return rows.filter((row) => row.some((value) => value.trim()));
  }

  function pasted(text) {
    const rows = parse(text), columns = model ? model.columns : [];
    if (!columns.length) return rows.map((row) => row.map((value) => Number(value)));
    const heads = rows[0].map((value) => value.trim());
    const headed = heads.filter((name) => columns.includes(name)).length * 2 > Math.min(heads.length, columns.length);
    const names = headed ? heads : columns;
    const body = headed ? rows.slice(1) : rows;
    if (!body.length) throw new Error(w("error.rows", { columns: columns.join(", ") }));
    for (const row of body) if (row.length !== names.length) throw new Error(w("error.rows", { columns: names.join(", ") }));
    return body.map((row) => Object.fromEntries(names.map((name, at) => [name, cell(name, row[at])])));
  }

  function askedOf() {
    const cells = [...document.querySelectorAll("[data-column]")];
    const text = byId("text"), rows = byId("rows");
    if (text && !cells.length) return text.value.trim() && { json: { texts: [text.value] }, shown: [text.value] };
    if (rows && rows.value.trim()) {
      const list = pasted(rows.value);
      return { json: { rows: list }, shown: list.map(plain) };
    }
    if (!cells.some((input) => input.value.trim())) return null;
    const long = facts.modality === "text";
    const row = Object.fromEntries(cells.map((i) => [i.dataset.column, long ? i.value : cell(i.dataset.column, i.value)]));
    return { json: { rows: [row] }, shown: [plain(row)] };
  }

  const plain = (row) => Array.isArray(row) ? row.join(", ") : Object.entries(row).map(([k, v]) => k + " = " + (v === null ? "" : v)).join(", ");

  async function ask(list) {
    if (busy) return;
    waiting = list;
    busy = true;
    for (const [, item] of shown) if (item.url && !list.includes(item)) URL.revokeObjectURL(item.url);
    shown = [];
    byId("answers").replaceChildren();
    document.body.setAttribute("aria-busy", "true");
    try {
      for (const [number, item] of list.entries()) {
        tell(list.length > 1 ? w("busy.of", { number: number + 1, count: list.length }) : w("busy"));
        const body = item.json ? JSON.stringify(item.json) : item.blob;
        const type = item.json ? "application/json" : item.blob.type || "application/octet-stream";
        const query = (facts.coverage ? "coverage=" + facts.coverage + "&" : "") + "nearest=" + facts.nearest;
        const answer = await call("predict?" + query, { method: "POST", body, headers: { "content-type": type } });
        answer.predictions.slice(0, ROWS).forEach((row, at) => {
          shown.push([row, item, at]);
          byId("answers").append(article(row, item, at));
        });
      }
      waiting = null;
      tell(w("done"));
    } catch (error) {
      tell("", error.message);
    } finally {
      busy = false;
      document.body.removeAttribute("aria-busy");
    }
  }

  function article(row, item, at) {
    const made = make("article", input(item, at));
    if (row.error) {
      made.append(make("p", w("unread", { why: row.error }), { class: "gap" }));
      return made;
    }
    const number = "value" in row;
    const label = number ? figure(row.value) : Array.isArray(row.label) ? row.label.join(", ") || w("none") : String(row.label);
    made.append(make("h2", label));
    if (row.outlier) made.append(make("p", w("outlier"), { class: "warn" }));
    if (number && row.interval) made.append(make("p", w("interval", { low: figure(row.interval[0]), high: figure(row.interval[1]), percent: Math.round(100 * facts.coverage) })));
    if (row.set) made.append(make("p", w(row.set.length === 1 ? "set.one" : "set", { percent: Math.round(100 * facts.coverage), classes: row.set.join(w("comma")) })));
    if (row.probabilities) made.append(...bars(row));
    if (row.nearest && row.nearest.length) made.append(make("h3", w("nearest")), make("ol", row.nearest.map(near), { class: "near" }));
    return made;
  }

  const figure = (value) => Number(value).toLocaleString("en", { maximumSignificantDigits: 5 });

  function input(item, at) {
    if (item.json) return make("blockquote", item.shown[at] || "", { class: "input", dir: "auto" });
    const url = item.url || (item.url = URL.createObjectURL(item.blob));
    const shown = facts.modality === "image"
      ? make("img", null, { src: url, alt: w("picture", { name: item.name }) })
      : make("audio", null, { src: url, controls: "", "aria-label": w("sound", { name: item.name }) });
    return make("div", [shown, make("p", item.name, { class: "tag" })], { class: "input" });
  }

  function bars(row) {
    const inside = new Set((row.set || []).map(String)), ours = new Set([].concat(row.label).map(String));
    const items = Object.entries(row.probabilities).sort((a, b) => b[1] - a[1]).map(([name, p]) => {
      const bar = make("span", null);
      bar.style.width = Math.max(0, Math.min(100, 100 * p)) + "%";
      const tag = inside.has(name) ? make("span", w("inside"), { class: "tag" }) : null;
      return make("li", [make("span", [name, tag]), make("span", bar, { class: "bar", "aria-hidden": "true" }), make("span", (100 * p).toFixed(1) + " %", { class: "p" })], ours.has(name) ? { class: "ours" } : {});
    });
    const list = make("ul", items.slice(0, SHOWN), { class: "bars", "aria-label": w("bars") });
    if (items.length <= SHOWN) return [list];
    const rest = make("ul", items.slice(SHOWN), { class: "bars", "aria-label": w("bars") });
    return [list, make("details", [make("summary", w("more", { count: items.length - SHOWN })), rest])];
  }

  function near(example) {
    const picture = typeof example.picture === "string" && example.picture.startsWith("data:image/") ? make("img", null, { src: example.picture, alt: "" }) : null;
    const text = typeof example.text === "string" && example.text ? make("blockquote", example.text, { dir: "auto" }) : null;
    const label = Array.isArray(example.label) ? example.label.join(", ") : String(example.label);
    const close = typeof example.similarity === "number" ? " · " + example.similarity.toFixed(2) : "";
    return make("li", [make("strong", label), make("span", close + (example.name ? " · " + example.name : ""), { class: "tag" }), picture, text]);
  }

  function files(list) {
    const all = [...list].slice(0, FILES).map((blob) => ({ blob, name: blob.name || w("pasted") }));
    if (all.length) ask(all);
  }

  function listen() {
    const drop = byId("drop"), file = byId("file");
    file.addEventListener("change", () => { files(file.files); file.value = ""; });
    for (const kind of ["dragover", "dragleave", "drop"])
      document.addEventListener(kind, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", kind === "dragover");
        if (kind === "drop") files(event.dataTransfer.files);
      });
    document.addEventListener("paste", (event) => files(event.clipboardData.files));
    if (byId("record")) byId("record").addEventListener("click", record);
  }

  let recorder = null;

  async function record() {
    if (recorder) return recorder.stop();
    if (!navigator.mediaDevices || !window.MediaRecorder) return tell("", w("error.microphone.none"));
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (_) {
      return tell("", w("error.microphone"));
    }
    const parts = [], began = Date.now(), button = byId("record");
    recorder = new MediaRecorder(stream);
    recorder.ondataavailable = (event) => parts.push(event.data);
    const timer = setInterval(() => {
      const seconds = Math.floor((Date.now() - began) / 1000);
      byId("clock").textContent = seconds + " s";
      if (seconds >= SECONDS && recorder) recorder.stop();
    }, 250);
    recorder.onstop = async () => {
      clearInterval(timer);
      for (const track of stream.getTracks()) track.stop();
      recorder = null;
      button.setAttribute("aria-pressed", "false");
      button.textContent = w("record");
      byId("clock").textContent = "";
      try {
        ask([{ blob: await wave(new Blob(parts)), name: w("recording") }]);
      } catch (_) {
        tell("", w("error.recording"));
      }
    };
    recorder.start();
    button.setAttribute("aria-pressed", "true");
    button.textContent = w("record.stop");
    tell(w("recording"));
  }

  async function wave(blob) {
    const context = new AudioContext();
    const sound = await context.decodeAudioData(await blob.arrayBuffer());
    context.close();
    const samples = new Float32Array(sound.length);
    for (let channel = 0; channel < sound.numberOfChannels; channel++)
      sound.getChannelData(channel).forEach((value, at) => { samples[at] += value / sound.numberOfChannels; });
    const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
    const write = (at, text) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
    write(0, "RIFF"); view.setUint32(4, 36 + 2 * samples.length, true); write(8, "WAVEfmt ");
    view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
    view.setUint32(24, sound.sampleRate, true); view.setUint32(28, 2 * sound.sampleRate, true);
    view.setUint16(32, 2, true); view.setUint16(34, 16, true);
    write(36, "data"); view.setUint32(40, 2 * samples.length, true);
    samples.forEach((value, at) => view.setInt16(44 + 2 * at, Math.round(32767 * Math.max(-1, Math.min(1, value))), true));
    return new Blob([view], { type: "audio/wav" });
  }

  byId("language").addEventListener("click", () => { language = language === "zh" ? "en" : "zh"; speak(); });
  byId("token-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    token = byId("token").value.trim();
    byId("token").value = "";
    if (await learn() && waiting) ask(waiting);
  });
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    try {
      const asked = askedOf();
      if (asked) ask([asked]); else tell("", w("error.empty"));
    } catch (error) {
      tell("", error.message);
    }
  });
  byId("ask").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("ask").requestSubmit();
  });
  if (byId("file")) listen();
  speak();
  learn();
})();
