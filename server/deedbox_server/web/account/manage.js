// Signed in: one's factors, sessions and password.

import { ask, Refused } from "./box.js";
import { busy, el, field, form, say, show, when } from "./elements.js";
import { addApp, addPasskey, recoveryCodes } from "./factors.js";
import { supported } from "./passkey.js";
import { stepUp } from "./proof.js";

const VIAS = { password: "password", passkey: "passkey" };

export async function manage(state, router) {
  const [factors, sessions] = await Promise.all([ask("GET", "auth/factors"), ask("GET", "auth/sessions")]);
  const again = () => router.home();
  // Does it; where the box asks for the second factor first, shows it and does it then.
  const strongly = async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Refused) || error.slug !== "second-factor-needed") throw error;
      await stepUp(state.methods);
      return work();
    }
  };
  show(
    "",
    state.account.name,
    factorsSection(factors, strongly, again),
    recoverySection(factors, strongly, again),
    sessionsSection(sessions.items, router),
    passwordSection(router),
  );
  document.querySelector("main > h1").classList.add("page-head");
}

function section(title, words, ...inside) {
  const id = `section-${title.toLowerCase().replace(/\W+/g, "-")}`;
  return el(
    "section",
    { class: "sheet", "aria-labelledby": id },
    el("header", {}, el("h2", { id }, title)),
    words ? el("p", { class: "faded" }, words) : null,
    ...inside,
  );
}

function factorsSection(factors, strongly, again) {
  const told = el("div", { role: "alert" });
  const rows = factors.passkeys.map((one) => passkeyRow(one, strongly, again, told));
  if (factors.totp) {
    rows.push(
      row(
        "Authenticator app",
        ["set up ", when(factors.totp)],
        action("Remove", "Remove the authenticator app", told, () => strongly(() => ask("DELETE", "auth/factors/totp")).then(again)),
      ),
    );
  }
  const adding = [];
  if (supported()) {
    adding.push(action("Add a passkey", null, told, () => strongly(() => ask("POST", "auth/factors/passkeys/options")).then(() => addPasskey(again, again))));
  }
  adding.push(
    action(factors.totp ? "Set up another app instead" : "Set up an authenticator app", null, told, () => strongly(() => addApp(again, again))),
  );
  return section(
    "Second factors",
    factors.required ? "The firm asks everybody for one. Two are better than one: phones get lost." : "They keep a stolen password from opening anything.",
    rows.length ? el("ul", { class: "rows" }, rows) : null,
    told,
    el("div", { class: "choices" }, adding),
  );
}

function passkeyRow(one, strongly, again, told) {
  const facts = ["made ", when(one.created), one.used ? ", last used " : ", not used yet", one.used ? when(one.used) : null];
  if (one.backed_up) facts.push(", backed up by its maker");
  if (one.host !== location.hostname) facts.push(`, for ${one.host}`);
  const rename = action("Rename", `Rename ${one.name}`, told, () => renaming(made, one, strongly, again));
  const remove = action("Remove", `Remove ${one.name}`, told, () =>
    strongly(() => ask("DELETE", `auth/factors/passkeys/${one.id}`)).then(again),
  );
  const made = row(one.name, facts, rename, remove, "passkey");
  return made;
}

function renaming(place, one, strongly, again) {
  const name = field("Name of the passkey", { value: one.name, required: true, maxlength: "100", autocomplete: "off" });
  const sent = form([name.made], "Save", async () => {
    await strongly(() => ask("PATCH", `auth/factors/passkeys/${one.id}`, { name: name.input.value.trim() }));
    await again();
  });
  place.replaceChildren(el("div", { class: "what form-row" }, sent));
  name.input.select();
}

function row(name, facts, ...rest) {
  const tag = typeof rest[rest.length - 1] === "string" ? rest.pop() : null;
  return el(
    "li",
    {},
    el(
      "div",
      { class: "what" },
      el("p", { class: "name" }, name, tag ? el("span", { class: tag === "this one" ? "tag here" : "tag" }, tag) : null),
      el("p", { class: "facts" }, facts.filter((one) => one !== null)),
    ),
    el("div", { class: "choices" }, rest),
  );
}

function action(label, name, told, work) {
  const kind = /^(Remove|End)/.test(label) ? "danger" : "";
  const button = el("button", { type: "button", class: kind, "aria-label": name, onclick: () => busy(button, told, work) }, label);
  return button;
}

function recoverySection(factors, strongly, again) {
  const told = el("div", { role: "alert" });
  const left = factors.recovery_left;
  const words =
    left === 0
      ? "You have none. Without them, a lost phone means waiting for an administrator."
      : `${left} of 10 left. New ones void those that you have.`;
  const make = action(left === 0 ? "Make recovery codes" : "Make new ones", null, told, () => strongly(() => recoveryCodes(again)));
  if (left === 0) make.classList.add("primary");
  return section("Recovery codes", words, told, el("div", { class: "choices" }, make));
}

function sessionsSection(items, router) {
  const told = el("div", { role: "alert" });
  const rows = items.map((one) => {
    const facts = [`by ${VIAS[one.via] || one.via}`, one.address ? `, from ${one.address}` : null, ", since ", when(one.created), ", last seen ", when(one.used)];
    const end = action("End", `End the session of ${browser(one.agent)}`, told, async () => {
      await ask("DELETE", `auth/sessions/${one.id}`);
      say("Session ended");
      await router.home();
    });
    return one.current ? row(browser(one.agent), facts, "this one") : row(browser(one.agent), facts, end);
  });
  const all =
    items.length > 1
      ? el("div", { class: "choices" }, action("End all others", null, told, async () => {
          await ask("DELETE", "auth/sessions?others=true");
          say("All other sessions ended");
          await router.home();
        }))
      : null;
  return section("Where you are signed in", "What you end here is refused at its next step.", el("ul", { class: "rows" }, rows), told, all);
}

// "Firefox on Linux" out of what a browser calls itself; the whole of it where that cannot be told.
function browser(agent) {
  const name = [["Edg/", "Edge"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]].find(([word]) => agent.includes(word));
  const system = [["Windows", "Windows"], ["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Mac OS", "Mac"], ["Linux", "Linux"]].find(([word]) => agent.includes(word));
  if (!name) return agent || "A program";
  return system ? `${name[1]} on ${system[1]}` : name[1];
}

function passwordSection(router) {
  const place = el("div", {});
  const open = el("button", { type: "button", onclick: change }, "Change the password");
  function change() {
    const user = el("input", { type: "text", autocomplete: "username", value: router.state.account.sign_in || router.state.account.name, hidden: true, readonly: true });
    const old = field("Old password", { type: "password", autocomplete: "current-password", required: true });
    const fresh = field("New password", { type: "password", autocomplete: "new-password", required: true }, "At least 12 characters; four words do well.");
    const sent = form([user, old.made, fresh.made], "Change it", async () => {
      router.state = await ask("POST", "auth/password", { old: old.input.value, new: fresh.input.value });
      say("Password changed");
      await router.home();
    });
    place.replaceChildren(el("div", { class: "form-row" }, sent));
    old.input.focus();
  }
  place.append(open);
  return section("Password", "Changing it ends every other session.", place);
}
