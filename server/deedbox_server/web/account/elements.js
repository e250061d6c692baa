// Elements made in code: text is always text, so that nothing the box says can become markup.

export function el(name, given = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && typeof value === "boolean") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...inside.flat().filter((one) => one !== null && one !== undefined));
  return made;
}

let fields = 0;

// A labelled input. `hint` is read with it.
export function field(label, given, hint) {
  const id = `field-${++fields}`;
  const input = el("input", { id, "aria-describedby": hint ? `${id}-hint` : undefined, ...given });
  const inside = given.type === "password" ? el("div", { class: "with-button" }, input, shower(input)) : input;
  const made = el("div", {}, el("label", { for: id }, label), inside);
  if (hint) made.append(el("p", { class: "hint", id: `${id}-hint` }, hint));
  return { made, input };
}

function shower(input) {
  const button = el("button", { type: "button", class: "plain small", "aria-pressed": "false", onclick: turn }, "Show");
  function turn() {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-pressed", String(shown));
  }
  return button;
}

// A form that is sent once at a time and tells below its fields what went wrong.
export function form(inside, label, send) {
  const button = el("button", { class: "primary wide", type: "submit" }, label);
  const told = el("div", { role: "alert" });
  const made = el("form", { class: "stack", novalidate: true }, ...inside, told, button);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    const empty = [...made.querySelectorAll("input")].find((input) => input.required && !input.value.trim());
    if (empty) {
      empty.focus();
      return;
    }
    await busy(button, told, send);
  });
  return made;
}

// Runs `work` with the button held; a refusal becomes a sentence in `told`.
export async function busy(button, told, work) {
  button.disabled = true;
  told.replaceChildren();
  try {
    await work();
  } catch (error) {
    if (error && error.name !== "NotAllowedError") told.replaceChildren(el("p", { class: "told" }, el("span", {}, error.message)));
    else told.replaceChildren(el("p", { class: "told attention" }, el("span", {}, "Nothing was chosen. You can try again.")));
    const input = button.form && button.form.querySelector("input.code, input.long-code");
    if (input) input.select();
  } finally {
    button.disabled = false;
  }
}

// Shows a view and takes the focus to its heading, which is then read.
export function show(kind, title, ...inside) {
  const main = document.getElementById("main");
  main.className = kind;
  const heading = el("h1", { tabindex: "-1" }, title);
  main.replaceChildren(heading, ...inside.filter(Boolean));
  document.title = document.title.replace(/^.* – /, `${title} – `);
  window.scrollTo(0, 0);
  const first = kind.startsWith("door") ? main.querySelector("input") : null;
  (first || heading).focus();
  return main;
}

export function say(text) {
  document.getElementById("said").textContent = text;
}

const near = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

// "3 hours ago", with the whole time and its zone on hover.
export function when(text) {
  const time = new Date(text);
  const seconds = (time - Date.now()) / 1000;
  const units = [["second", 60], ["minute", 60], ["hour", 24], ["day", 30], ["month", 12], ["year", Infinity]];
  let amount = seconds;
  let unit = "second";
  for (const [name, many] of units) {
    unit = name;
    if (Math.abs(amount) < many) break;
    amount /= many;
  }
  const words = unit === "second" ? "just now" : near.format(Math.round(amount), unit);
  const whole = time.toLocaleString(undefined, { dateStyle: "long", timeStyle: "long" });
  return el("time", { datetime: text, title: whole }, words);
}
