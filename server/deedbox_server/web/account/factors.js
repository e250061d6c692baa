// Setting up second factors, and the recovery codes that stand in for them.

import { ask } from "./box.js";
import { busy, el, field, form, show } from "./elements.js";
import * as passkey from "./passkey.js";

// The first one: nothing else can be done before.
export function setUp(state, next, leave) {
  const ways = [];
  if (passkey.supported()) {
    ways.push(
      way("Passkey", "Your finger, face or PIN on this device, or a security key. The safest, and the quickest later.", () =>
        addPasskey(next, () => setUp(state, next, leave)),
      ),
    );
  }
  ways.push(
    way("Authenticator app", "A code of six digits from an app on your phone, such as Aegis, Google Authenticator or 1Password.", () =>
      addApp(next, () => setUp(state, next, leave)),
    ),
  );
  show(
    "door",
    "Set up a second factor",
    el("p", { class: "lead" }, "So that a stolen password opens nothing. You can add more of them later."),
    el("div", { class: "ways" }, ways),
    el("div", { class: "below" }, el("button", { type: "button", class: "plain", onclick: leave }, "Do this later and sign out")),
  );
}

function way(title, words, choose) {
  return el("button", { type: "button", class: "way", onclick: choose }, el("strong", {}, title), el("span", {}, words));
}

export function addPasskey(done, back) {
  const name = field(
    "What to call it",
    { required: true, maxlength: "100", value: guessedName(), autocomplete: "off" },
    "So that you know it again in the list.",
  );
  const sent = form([name.made], "Make the passkey", async () => {
    const { ceremony, options } = await ask("POST", "auth/factors/passkeys/options");
    const credential = await passkey.create(options);
    const added = await ask("POST", "auth/factors/passkeys", { ceremony, name: name.input.value.trim(), credential });
    await done(added.session);
  });
  show(
    "door",
    "A passkey",
    el("p", { class: "lead" }, "Your device will ask for your finger, face or PIN, and keep the key."),
    el("div", { class: "sheet" }, sent),
    backwards(back),
  );
  name.input.select();
}

function guessedName() {
  const told = navigator.userAgent;
  const found = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android phone"], ["Macintosh", "Mac"], ["Windows", "Windows computer"], ["Linux", "Linux computer"]];
  const pair = found.find(([word]) => told.includes(word));
  return pair ? `My ${pair[1]}` : "My passkey";
}

export async function addApp(done, back) {
  const made = await ask("POST", "auth/factors/totp");
  const code = field("Code that the app shows", {
    class: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: "6", required: true, spellcheck: "false",
  });
  const sent = form([code.made], "Confirm", async () => done(await ask("POST", "auth/factors/totp/confirm", { code: code.input.value.trim() })));
  code.input.addEventListener("input", () => /^\d{6}$/.test(code.input.value) && sent.requestSubmit());
  const picture = el("img", { src: `data:image/svg+xml,${encodeURIComponent(standalone(made.qr))}`, alt: "QR code for the authenticator app", width: "176", height: "176" });
  show(
    "door broad",
    "An authenticator app",
    el("p", { class: "lead" }, "Scan this with the app on your phone, then type the code that it shows."),
    el(
      "div",
      { class: "sheet app" },
      picture,
      el(
        "div",
        { class: "stack" },
        el("p", { class: "faded small" }, "No camera? Type this into the app, or ", el("a", { href: made.uri }, "open the app on this device"), "."),
        el("p", { class: "secret", "aria-label": "Secret for the app" }, grouped(made.secret)),
        sent,
      ),
    ),
    backwards(back),
  );
}

function standalone(svg) {
  return svg.includes("xmlns") ? svg : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
}

function grouped(secret) {
  return secret.match(/.{1,4}/g).map((part) => el("span", {}, part));
}

// Ten codes, shown once. `done` when the person says that they are kept.
export async function recoveryCodes(done) {
  const { codes } = await ask("POST", "auth/factors/recovery");
  const told = el("p", { class: "hint", role: "status" });
  const text = `Recovery codes for ${document.querySelector(".box").textContent}\nEach works once.\n\n${codes.join("\n")}\n`;
  async function copy() {
    await navigator.clipboard.writeText(codes.join("\n"));
    told.textContent = "Copied. Paste them where only you look, then clear the clipboard.";
  }
  function save() {
    const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "text/plain" })), download: "recovery-codes.txt" });
    link.click();
    URL.revokeObjectURL(link.href);
  }
  const copying = el("button", { type: "button", onclick: () => busy(copying, told, copy) }, "Copy");
  show(
    "door broad",
    "Your recovery codes",
    el("p", { class: "lead" }, "For the day when phone or key is gone. They are shown now and never again; each works once. Earlier codes are void."),
    el(
      "div",
      { class: "sheet" },
      el("ol", { class: "codes" }, codes.map((code) => el("li", {}, code))),
      el("div", { class: "choices" }, copying, el("button", { type: "button", onclick: save }, "Save as a file"), el("button", { type: "button", onclick: () => window.print() }, "Print")),
      told,
    ),
    el("div", { class: "below" }, el("button", { type: "button", class: "primary", onclick: done }, "I have kept them")),
  );
}

function backwards(back) {
  return el("div", { class: "below" }, el("button", { type: "button", class: "plain", onclick: back }, "Back"));
}
