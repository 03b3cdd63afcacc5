// What the pages do beyond links and forms: theme, keys, the drawer, tabs, a dropped picture, and faults in words.
(() => {
  "use strict";
  const root = document.documentElement;
  const find = (selector, within = document) => within.querySelector(selector);
  const words = JSON.parse(document.body.dataset.words ?? "{}");  // in the page's language

  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  function tellTheme() {
    const button = find("#theme");
    if (button) button.setAttribute("aria-pressed", String(dark()));
  }
  function switchTheme() {
    root.dataset.theme = dark() ? "light" : "dark";
    // A cookie, so that the server writes the theme into the page and nothing flashes.
    document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=strict`;
    tellTheme();
    document.dispatchEvent(new CustomEvent("viral:theme"));
  }

  function say(text) {
    const place = find("#toasts");
    const line = document.createElement("p");
    line.textContent = text;
    place.append(line);
    setTimeout(() => line.remove(), 9000);
  }

  function select(tab) {
    const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
    for (const one of tabs) {
      const chosen = one === tab;
      one.setAttribute("aria-selected", String(chosen));
      one.tabIndex = chosen ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).hidden = !chosen;
    }
  }
  function moveTab(tab, key) {
    const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -tabs.indexOf(tab), End: tabs.length - 1 - tabs.indexOf(tab) }[key];
    if (step === undefined) return false;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    select(next);
    next.focus();
    return true;
  }

  let preview = "";
  function show(input) {
    const drop = input.closest(".drop");
    const image = find("img", drop);
    const file = input.files[0];
    if (preview) URL.revokeObjectURL(preview);
    preview = file ? URL.createObjectURL(file) : "";
    image.hidden = !file;
    if (file) image.src = preview;
    find(".ask", drop).hidden = Boolean(file);
    find("[data-chosen]", drop.parentElement).textContent = file ? `${file.name}, ${Math.ceil(file.size / 1000).toLocaleString("en")} kB` : "";
  }

  let ticking = 0;
  function count(form) {
    const place = find("[data-seconds]", form);
    if (!place) return;
    const began = performance.now();
    clearInterval(ticking);
    place.textContent = "0 s";
    ticking = setInterval(() => { place.textContent = `${Math.round((performance.now() - began) / 1000)} s`; }, 1000);
  }

  let following = 0;
  function follow(form) {
    const place = find("[data-step]", form);
    if (!place) return;
    clearInterval(following);
    following = setInterval(async () => {
      const answer = await fetch(place.dataset.step).catch(() => null);
      if (answer?.ok && following) place.textContent = await answer.text();
    }, 700);
  }
  function rest() {
    clearInterval(ticking);
    clearInterval(following);
    following = 0;
  }

  async function copy(text) {
    try { await navigator.clipboard.writeText(text); } catch {
      // Beyond localhost and https there is no clipboard: the old way.
      const field = document.createElement("textarea");
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    say(words.copied);
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const drawer = find("#drawer");
    const id = event.target.closest("[data-copy]");
    if (id) copy(id.dataset.copy);
    if (event.target.closest("#theme")) switchTheme();
    const tab = event.target.closest("[role=tab]");
    if (tab) select(tab);
    if (drawer && (event.target === drawer || event.target.closest("[data-close]"))) drawer.close();
  });
  document.addEventListener("keydown", (event) => {
    const field = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !field && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = find("[role=search] input[type=search]");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    }
    if (event.key === "Escape" && field && field.closest(".editing")) find("[data-cancel]", field.closest(".editing"))?.click();
    if (event.target instanceof Element && event.target.matches("[role=tab]") && moveTab(event.target, event.key)) event.preventDefault();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches(".drop input[type=file]")) show(event.target);
  });
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const drop = event.target instanceof Element ? event.target.closest(".drop") : null;
      const page = find(".drop");
      if (page) event.preventDefault();  // a picture that misses must not replace the page
      if (!drop) return;
      drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) {
        const input = find("input[type=file]", drop);
        input.files = event.dataTransfer.files;
        show(input);
      }
    });
  }

  document.addEventListener("htmx:before:request", (event) => {
    if (event.target instanceof Element && event.target.matches(".try form")) { count(event.target); follow(event.target); }
  });
  document.addEventListener("htmx:finally:request", (event) => {
    if (event.target instanceof Element && event.target.matches(".try form")) rest();
  });
  document.addEventListener("htmx:after:request", (event) => {
    // A fault comes as a document for programs (application/problem+json): told in words, and not put into the page.
    const ctx = event.detail.ctx;
    const kind = ctx?.response?.headers?.get("content-type") ?? "";
    if (!kind.includes("json")) return;
    event.preventDefault();
    let told = {};
    try { told = JSON.parse(ctx.text); } catch { /* not told */ }
    const wrong = (told.errors ?? []).map((one) => `${one.where}: ${one.what}`);
    say([told.detail ?? words.did_not_work, ...wrong, told.hint].filter(Boolean).join(" – "));
  });
  document.addEventListener("htmx:error", () => say(words.no_answer));
  document.addEventListener("htmx:after:swap", (event) => {
    const drawer = find("#drawer");
    if (drawer && !drawer.open && find(".why", drawer)) drawer.showModal();
    const result = find("#result > *");
    if (result && event.target.closest?.(".try") && result.getBoundingClientRect().top > innerHeight * 0.6) result.scrollIntoView();
  });
  find("#drawer")?.addEventListener("close", () => find("#drawer [data-body]").replaceChildren());
  tellTheme();
})();
