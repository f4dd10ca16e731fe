/** The gateway's calls: the key on each, patience with what passes, and one error for what doesn't. */

import { addNames } from "/static/names.js";

const RESTS = [1, 2, 5, 10, 20, 30];
const PASSING = new Set([429, 502, 503, 504]);

/** What the gateway refuses for good: its status and, in words, why. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export class Api {
  #key;
  #may = null;
  #waiting = new Map();
  #onTrouble;
  #onKeyRefused;

  /**
   * @param {string} key @param {{onTrouble: (text: string | null) => void, onKeyRefused: () => void}} listeners
   * `onTrouble` hears why calls are being tried again, and null once none is.
   */
  constructor(key, { onTrouble, onKeyRefused }) {
    this.#key = key;
    this.#onTrouble = onTrouble;
    this.#onKeyRefused = onKeyRefused;
  }

  get headers() {
    return { Authorization: `Bearer ${this.#key}` };
  }

  catalogue(signal) {
    return this.#get("/v1/kpis", {}, signal);
  }

  /** The names of teams and agents, by dimension and id. */
  names(signal) {
    return this.#get("/v1/names", {}, signal);
  }

  async kpi(id, query, signal) {
    const result = await this.#get(`/v1/kpis/${encodeURIComponent(id)}`, query, signal);
    addNames(result.rows);
    return result;
  }

  async records(id, query, signal) {
    const page = await this.#get(`/v1/kpis/${encodeURIComponent(id)}/records`, query, signal);
    addNames(page.records);
    return page;
  }

  /** Whether the key has this scope. */
  async may(scope, signal) {
    this.#may ??= (await this.#get("/v1/keys/self", {}, signal)).may;
    return this.#may.includes(scope);
  }

  /** Judge a comment in the model's place. Trying again is the same judgement, by its key. */
  async override(judgement, signal) {
    const headers = { ...this.headers, "Content-Type": "application/json", "Idempotency-Key": unique() };
    await this.#patiently("/v1/overrides", { method: "POST", headers, body: JSON.stringify(judgement) }, signal);
  }

  /** The address of the live stream for a query. */
  live(query) {
    return address("/v1/live", query);
  }

  /** Tell the page that the key no longer opens anything. */
  refuseKey() {
    this.#onKeyRefused();
  }

  #get(path, query, signal) {
    return this.#patiently(address(path, query), { headers: this.headers }, signal);
  }

  /** The JSON document that a call answers with; overload and outages are waited out until `signal` says stop. */
  async #patiently(url, request, signal) {
    const call = Symbol(url);
    try {
      for (let attempt = 0; ; attempt += 1) {
        const answer = await this.#attempt(url, request, signal);
        if (answer.ok) return await answer.json();
        const rest = Math.max(RESTS[Math.min(attempt, RESTS.length - 1)], answer.retryAfter ?? 0);
        this.#note(call, answer.trouble);
        await sleep(rest * 1000, signal);
      }
    } finally {
      this.#note(call, null);
    }
  }

  async #attempt(url, request, signal) {
    let response;
    try {
      response = await fetch(url, { ...request, signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      return { ok: false, trouble: "Earshot can't be reached. Trying again…" };
    }
    if (response.ok) return response;
    if (PASSING.has(response.status)) {
      const trouble = response.status === 429 ? "Asked too often. Easing off for a moment…" : "Earshot is briefly unavailable. Trying again…";
      return { ok: false, trouble, retryAfter: Number(response.headers.get("Retry-After")) || 0 };
    }
    if (response.status === 401) this.refuseKey();
    throw new Refused(response.status, await problem(response));
  }

  #note(call, trouble) {
    if (trouble) this.#waiting.set(call, trouble);
    else this.#waiting.delete(call);
    this.#onTrouble([...this.#waiting.values()].at(-1) ?? null);
  }
}

/** What a problem document (RFC 9457) says, in one line. */
export async function problem(response) {
  try {
    const { title, detail, invalid_params: places } = await response.json();
    return detail || places?.map(({ name, reason }) => `${name}: ${reason}`).join("; ") || title;
  } catch {
    return `Answered ${response.status}`;
  }
}

function address(path, query) {
  const said = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null && value !== undefined));
  return said.size ? `${path}?${said}` : path;
}

/** 128 random bits; `crypto.randomUUID` is there on https alone. */
const unique = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Wait, or throw the moment `signal` says stop. */
export function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
    function done() {
      signal?.removeEventListener("abort", stop);
      resolve();
    }
    function stop() {
      clearTimeout(timer);
      reject(signal.reason);
    }
  });
}
