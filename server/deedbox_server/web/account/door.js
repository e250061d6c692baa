// Coming in: registering from an invitation, signing in, a new password by a link.

import { ask } from "./box.js";
import { busy, el, field, form, show } from "./elements.js";
import * as passkey from "./passkey.js";
import { proof } from "./proof.js";

const ROLES = {
  administrator: "an administrator", attorney: "an attorney", paralegal: "a paralegal", investigator: "an investigator",
  auditor: "an auditor", outsider: "a guest of the firm",
};
const PASSWORD_HINT = "At least 12 characters; four words do well. No rules about digits or signs.";

export function signIn(next, told) {
  const name = field("Name", { autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false" });
  const password = field("Password", { type: "password", autocomplete: "current-password", required: true });
  const sent = form([name.made, password.made], "Sign in", async () =>
    next(await ask("POST", "auth/login", { name: name.input.value.trim(), password: password.input.value })),
  );
  const others = [passkey.supported() ? byPasskey(next) : null, directory()].filter(Boolean);
  show(
    "door",
    "Sign in",
    el("p", { class: "lead" }, "With your name and password, or with a passkey alone."),
    told ? el("p", { class: "told attention", role: "status" }, el("span", {}, told)) : null,
    el("div", { class: "sheet stack" }, sent, others.length ? el("p", { class: "or" }, "or") : "", ...others),
    el("p", { class: "hint below" }, "No account yet, or no way in? An administrator of the firm sends you a link."),
  );
}

function byPasskey(next) {
  const told = el("div", { role: "alert" });
  const button = el("button", { type: "button", class: "wide", onclick: () => busy(button, told, send) }, "Sign in with a passkey");
  async function send() {
    const { ceremony, options } = await ask("POST", "auth/passkey/options");
    const credential = await passkey.get(options);
    await next(await ask("POST", "auth/passkey", { ceremony, credential }));
  }
  return el("div", { class: "stack" }, button, told);
}

function directory() {
  if (document.body.dataset.directory !== "yes") return null;
  return el("a", { class: "button wide", href: "/api/v1/auth/oidc/start?return_to=/account" }, "Sign in at the firm’s directory");
}

export function secondFactor(state, next, leave) {
  show(
    "door",
    "One more step",
    el("p", { class: "lead" }, `Good day, ${state.account.name}. Show that it is you.`),
    proof(state.methods, "verify-2fa", next),
    el("div", { class: "below" }, el("button", { type: "button", class: "plain", onclick: leave }, "Sign in as somebody else")),
  );
}

// From the link of an invitation. The token came behind the #, which no browser sends anywhere.
export async function register(token, next, away) {
  const found = await look(token, away);
  if (!found) return;
  const signInName = field(
    "Name to sign in with",
    { autocomplete: "username", required: true, maxlength: "100", autocapitalize: "none", spellcheck: "false" },
    "Short is fine, such as your initials or your e-mail address.",
  );
  const password = field("Password", { type: "password", autocomplete: "new-password", required: true }, PASSWORD_HINT);
  const sent = form([signInName.made, password.made], "Make my account", async () =>
    next(
      await ask("POST", "auth/register", { token, sign_in: signInName.input.value.trim(), password: password.input.value }),
    ),
  );
  const role = ROLES[found.role] || found.role;
  const host = found.invited_by === "box" ? document.querySelector(".box").textContent : found.invited_by;
  const words = `${host} invites you as ${role}. Choose how you sign in; a second factor comes next.`;
  show("door", `Welcome, ${found.name}`, el("p", { class: "lead" }, words), el("div", { class: "sheet" }, sent));
}

export async function resetPassword(token, done, away) {
  const found = await look(token, away);
  if (!found) return;
  const password = field("New password", { type: "password", autocomplete: "new-password", required: true }, PASSWORD_HINT);
  const sent = form([password.made], "Set the password", async () => {
    await ask("POST", "auth/reset-password", { token, password: password.input.value });
    done();
  });
  const words = `${found.name}, choose a new password. You are signed out everywhere.`;
  show("door", "A new password", el("p", { class: "lead" }, words), el("div", { class: "sheet" }, sent));
}

async function look(token, away) {
  try {
    return await ask("POST", "auth/invitation", { token });
  } catch (error) {
    show(
      "door",
      "This link does not work",
      el("p", { class: "lead" }, error.message),
      el("button", { type: "button", onclick: away }, "Go to sign-in"),
    );
    return null;
  }
}
