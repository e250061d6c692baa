// What this page asks of the box, and how the box's refusals become sentences.

export class Refused extends Error {
  constructor(status, problem) {
    super(sentence(status, problem));
    this.status = status;
    this.slug = String(problem.type || "").split(":").pop();
  }
}

// The cookie goes with it by itself; another site's page cannot make it go (Sec-Fetch-Site, SameSite).
export async function ask(method, path, body) {
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused(0, {});
  }
  const text = await answer.text();
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    data = {};
  }
  if (!answer.ok) throw new Refused(answer.status, data || {});
  return data;
}

function sentence(status, problem) {
  if (status === 0) return "The box cannot be reached. Check the network, then try again.";
  if (status === 429) return `Too many tries. Wait ${waiting(problem.retry_after)}, then try again.`;
  const detail = problem.detail || problem.title || "The box could not do this.";
  return detail[0].toUpperCase() + detail.slice(1) + (/[.!?]$/.test(detail) ? "" : ".");
}

function waiting(seconds) {
  if (!seconds || seconds < 2) return "a second";
  if (seconds < 90) return `${seconds} seconds`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
}
