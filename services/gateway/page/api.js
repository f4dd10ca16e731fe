/** The client of the gateway's API. It sends the key, retries outages and rate limits, and throws RequestError for other refusals. */

import { addNames } from "/static/names.js";

const RETRY_SECONDS = [1, 2, 5, 10, 20, 30];
const TRANSIENT = new Set([429, 502, 503, 504]);

/** A response that is neither a success nor worth a retry: its status, and the problem as text. */
export class RequestError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export class Api {
  #key;
  #scopes = null;
  #retries = new Map();
  #onRetry;
  #onInvalidKey;

  /**
   * @param {string} key @param {{onRetry: (text: string | null) => void, onInvalidKey: () => void}} listeners
   * `onRetry` gets the reason why a call is being retried, and null once no call is.
   */
  constructor(key, { onRetry, onInvalidKey }) {
    this.#key = key;
    this.#onRetry = onRetry;
    this.#onInvalidKey = onInvalidKey;
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

  /** How a KPI's value comes about: its formula with the numbers, what is left out, a recomputation. */
  explain(id, query, signal) {
    return this.#get(`/v1/kpis/${encodeURIComponent(id)}/explain`, query, signal);
  }

  /** The presets, and which of them are on. */
  presets(signal) {
    return this.#get("/v1/presets", {}, signal);
  }

  async records(id, query, signal) {
    const page = await this.#get(`/v1/kpis/${encodeURIComponent(id)}/records`, query, signal);
    addNames(page.records);
    return page;
  }

  /** Whether the key has this scope. */
  async hasScope(scope, signal) {
    this.#scopes ??= (await this.#get("/v1/keys/self", {}, signal)).may;
    return this.#scopes.includes(scope);
  }

  /** Set a comment's label in place of the model's. Retries send the same Idempotency-Key, so the override is stored once. */
  async override(body, signal) {
    const headers = { ...this.headers, "Content-Type": "application/json", "Idempotency-Key": randomKey() };
    await this.#fetchJson("/v1/overrides", { method: "POST", headers, body: JSON.stringify(body) }, signal);
  }

  /** The URL of the live stream for a query. */
  liveUrl(query) {
    return withQuery("/v1/live", query);
  }

  /** Call `onInvalidKey`: the gateway does not accept the key. */
  reportInvalidKey() {
    this.#onInvalidKey();
  }

  #get(path, query, signal) {
    return this.#fetchJson(withQuery(path, query), { headers: this.headers }, signal);
  }

  /** The JSON body of a response. Retries after a network error, 429, 502, 503 and 504 until `signal` aborts. */
  async #fetchJson(url, request, signal) {
    const call = Symbol(url);
    try {
      for (let attempt = 0; ; attempt += 1) {
        const { response, reason, retryAfter = 0 } = await this.#fetchOnce(url, request, signal);
        if (response) return await response.json();
        const delay = Math.max(RETRY_SECONDS[Math.min(attempt, RETRY_SECONDS.length - 1)], retryAfter);
        this.#setRetry(call, reason);
        await sleep(delay * 1000, signal);
      }
    } finally {
      this.#setRetry(call, null);
    }
  }

  /** {response} of a success, or {reason, retryAfter} of a failure that is worth a retry. Throws RequestError for any other response. */
  async #fetchOnce(url, request, signal) {
    let response;
    try {
      response = await fetch(url, { ...request, signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      return { reason: "Earshot can't be reached. Trying again…" };
    }
    if (response.ok) return { response };
    if (TRANSIENT.has(response.status)) {
      const reason = response.status === 429 ? "Too many requests. Trying again in a moment…" : "Earshot is briefly unavailable. Trying again…";
      return { reason, retryAfter: Number(response.headers.get("Retry-After")) || 0 };
    }
    if (response.status === 401) this.reportInvalidKey();
    throw new RequestError(response.status, await problemText(response));
  }

  /** Record that a call is being retried, or with null that it is not, and report the latest reason. */
  #setRetry(call, reason) {
    if (reason) this.#retries.set(call, reason);
    else this.#retries.delete(call);
    this.#onRetry([...this.#retries.values()].at(-1) ?? null);
  }
}

/** The detail of a problem document (RFC 9457), else its invalid parameters, else its title. */
export async function problemText(response) {
  try {
    const { title, detail, invalid_params: invalid } = await response.json();
    return detail || invalid?.map(({ name, reason }) => `${name}: ${reason}`).join("; ") || title;
  } catch {
    return `HTTP status ${response.status}`;
  }
}

/** A path with the parameters of a query that are not null. */
function withQuery(path, query) {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null && value !== undefined));
  return parameters.size ? `${path}?${parameters}` : path;
}

/** 128 random bits as hexadecimal digits. `crypto.randomUUID` exists only on pages served over HTTPS. */
const randomKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Wait. Throws the reason of `signal` as soon as it aborts. */
export function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = setTimeout(onTimeout, milliseconds);
    signal?.addEventListener("abort", onAbort, { once: true });
    function onTimeout() {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }
    function onAbort() {
      clearTimeout(timer);
      reject(signal.reason);
    }
  });
}
