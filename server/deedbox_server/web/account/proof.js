// Showing the second factor: at the door, and again before what asks for it.

import { ask } from "./box.js";
import { busy, el, field, form } from "./elements.js";
import * as passkey from "./passkey.js";

const LABELS = { passkey: "Use a passkey", totp: "Use a code from your app", recovery: "Use a recovery code" };

// The parts of a view: one way to show it, and the others below. `path`: verify-2fa or step-up.
export function proof(methods, path, done, chosen) {
  const usable = methods.filter((method) => method !== "passkey" || passkey.supported());
  const method = usable.includes(chosen) ? chosen : usable[0];
  const place = el("div", { class: "proof" });
  const others = usable.filter((one) => one !== method);
  const below = others.map((one) =>
    el("button", { type: "button", class: "plain", onclick: () => place.replaceWith(again(one)) }, LABELS[one]),
  );
  function again(one) {
    const next = proof(methods, path, done, one);
    queueMicrotask(() => (next.querySelector("input") || next.querySelector("button")).focus());
    return next;
  }
  place.append(
    method === undefined ? nothing() : method === "passkey" ? byPasskey(path, done) : byCode(method, path, done),
    below.length ? el("div", { class: "below" }, below) : "",
  );
  return place;
}

function nothing() {
  const words = "Your passkeys cannot be used in this browser. Open the box by its host name, or use another browser.";
  return el("p", { class: "told attention" }, el("span", {}, words));
}

function byPasskey(path, done) {
  const told = el("div", { role: "alert" });
  const button = el("button", { type: "button", class: "primary wide", onclick: () => busy(button, told, send) }, LABELS.passkey);
  async function send() {
    const { ceremony, options } = await ask("POST", "auth/step-up/options");
    const credential = await passkey.get(options);
    await done(await ask("POST", `auth/${path}`, { method: "passkey", ceremony, credential }));
  }
  return el(
    "div",
    { class: "sheet stack" },
    el("p", { class: "faded" }, "Your device will ask for your finger, face or PIN."),
    told,
    button,
  );
}

function byCode(method, path, done) {
  const app = method === "totp";
  const { made, input } = app
    ? field("Code from your authenticator app", {
        class: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: "6", required: true, spellcheck: "false",
      })
    : field(
        "Recovery code",
        { class: "long-code", autocomplete: "off", maxlength: "40", required: true, spellcheck: "false", autocapitalize: "none" },
        "One of the ten that you kept on paper. Each works once.",
      );
  async function send() {
    await done(await ask("POST", `auth/${path}`, { method, code: input.value.trim() }));
  }
  const sent = form([made], "Continue", send);
  if (app) input.addEventListener("input", () => /^\d{6}$/.test(input.value) && sent.requestSubmit());
  return el("div", { class: "sheet" }, sent);
}

// Asks for the second factor in a dialog, then resolves; rejects where the person turns away.
export function stepUp(methods) {
  return new Promise((resolve, reject) => {
    const dialog = el(
      "dialog",
      { "aria-labelledby": "step-up" },
      el("h2", { id: "step-up" }, "Show your second factor again"),
      el("p", { class: "lead" }, "This changes how you sign in, so the box asks once more. It will not ask again for 15 minutes."),
      proof(methods, "step-up", () => {
        dialog.close("shown");
      }),
      el("div", { class: "below" }, el("button", { type: "button", class: "plain", onclick: () => dialog.close() }, "Cancel")),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (dialog.returnValue === "shown") resolve();
      else reject(new DOMException("", "NotAllowedError"));
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
