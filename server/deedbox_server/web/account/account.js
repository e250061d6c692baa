// The page's one thread: what the box says of this browser decides what is shown.

import { ask } from "./box.js";
import { register, resetPassword, secondFactor, signIn } from "./door.js";
import { el, say, show } from "./elements.js";
import { recoveryCodes, setUp } from "./factors.js";
import { manage } from "./manage.js";

const router = { state: null, next, home, leave };

// A link's token stands behind the #. It leaves the address bar, and the history, at once.
function linkToken() {
  const found = /^#(invitation|reset)=([A-Za-z0-9_-]+)$/.exec(location.hash);
  if (found) history.replaceState(null, "", location.pathname);
  return found && { kind: found[1], token: found[2] };
}

async function next(state) {
  const before = router.state;
  router.state = state;
  who();
  if (state.state === "second-factor") return secondFactor(state, next, leave);
  if (state.state === "set-up") return setUp(state, next, leave);
  say("Signed in");
  if (before && before.state === "set-up") return recoveryCodes(home);
  return home();
}

async function home() {
  let state;
  try {
    state = await ask("GET", "auth/session");
  } catch (error) {
    router.state = null;
    who();
    if (error.status === 401 || error.status === 403) return signIn(next, error.status === 401 && router.seen ? "Your session has ended. Sign in again." : null);
    return show("door", "Your account", el("p", { class: "told" }, el("span", {}, error.message)));
  }
  router.seen = true;
  router.state = state;
  who();
  if (state.state !== "signed-in") return next(state);
  return manage(state, router);
}

async function leave() {
  try {
    await ask("DELETE", "auth/session");
  } catch {
    // It had ended already.
  }
  router.state = null;
  router.seen = false;
  who();
  say("Signed out");
  signIn(next);
}

function who() {
  const place = document.getElementById("who");
  if (!router.state || router.state.state !== "signed-in") return place.replaceChildren();
  return place.replaceChildren(el("button", { type: "button", class: "plain", onclick: leave }, "Sign out"));
}

function begin() {
  const link = linkToken();
  if (!link) return home();
  if (link.kind === "reset") return resetPassword(link.token, () => signIn(next, "The password is set. Sign in with it."), home);
  return register(link.token, next, home);
}

window.addEventListener("hashchange", begin);
begin();
