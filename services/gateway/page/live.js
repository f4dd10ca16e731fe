/** The live stream: server-sent events over fetch, since an EventSource can't send the key. It reconnects when a connection breaks. */

import { problemText, sleep } from "/static/api.js";

const SILENCE_TIMEOUT = 40_000; // milliseconds; the gateway pings every 15 s, so a longer silence means a dead connection
const RETRY_DELAY = { min: 500, max: 15_000 }; // milliseconds

/**
 * Read server-sent events from a stream of bytes (WHATWG HTML §9.2.6). Yields {id, event, data}; comments yield null, since
 * they show that the connection is alive.
 */
export async function* readEvents(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", id = "", event = "", data = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (data.length) yield { id, event: event || "message", data: data.join("\n") };
        event = "";
        data = [];
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) {
        yield null;
        continue;
      }
      const field = colon < 0 ? line : line.slice(0, colon);
      const text = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") data.push(text);
      else if (field === "event") event = text;
      else if (field === "id" && !text.includes("\0")) id = text;
    }
  }
}

/**
 * Follow the stream at `url` until `signal` aborts. Reconnects after an outage, an overload (429) and a broken connection; ends with
 * the state `refused` and the reason after any other 4xx, since a retry would fail in the same way.
 * @param {import("/static/api.js").Api} api
 * @param {{onEvent: (event: string, data: any) => void, onState: (state: "live" | "connecting" | "waiting" | "refused", reason?: string) => void}} listeners
 */
export async function followStream(api, url, { onEvent, onState }, signal) {
  let last = null, failures = 0;
  while (!signal.aborted) {
    onState("connecting");
    const connection = new AbortController();
    const watchdog = startWatchdog(connection);
    const offline = () => connection.abort(new Error("offline"));
    addEventListener("offline", offline);
    try {
      const headers = { ...api.headers, Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) };
      const response = await fetch(url, { headers, signal: AbortSignal.any([signal, connection.signal]), cache: "no-store" });
      if (response.status === 401) {
        api.reportInvalidKey();
        return;
      }
      if (response.status >= 400 && response.status < 500 && response.status !== 429) {
        onState("refused", await problemText(response));
        return;
      }
      if (!response.ok) throw new Error(`HTTP status ${response.status}`);
      onState("live");
      for await (const message of readEvents(response.body)) {
        failures = 0;
        watchdog.reset();
        if (message === null) continue;
        last = message.id || last;
        if (message.event !== "ping") onEvent(message.event, JSON.parse(message.data));
      }
    } catch (error) {
      if (signal.aborted) return;
      console.info("The live stream broke and will be resumed:", error.message);
    } finally {
      watchdog.stop();
      removeEventListener("offline", offline);
    }
    onState("waiting");
    failures += 1;
    await waitToReconnect(failures, signal);
  }
}

/** Abort a connection after SILENCE_TIMEOUT without a call of `reset`. */
function startWatchdog(connection) {
  let timer;
  const reset = () => {
    clearTimeout(timer);
    timer = setTimeout(() => connection.abort(new Error("silence")), SILENCE_TIMEOUT);
  };
  reset();
  return { reset, stop: () => clearTimeout(timer) };
}

/** Wait longer after each failure, with jitter so that many screens don't reconnect at once; return early when the network is back. */
async function waitToReconnect(failures, signal) {
  const longest = Math.min(RETRY_DELAY.max, RETRY_DELAY.min * 2 ** failures);
  const wake = new AbortController();
  const online = () => wake.abort();
  addEventListener("online", online, { once: true });
  try {
    await sleep(longest * (0.5 + Math.random() / 2), AbortSignal.any([signal, wake.signal]));
  } catch {
    // `signal` aborted or the network is back: the caller's loop checks `signal`.
  } finally {
    removeEventListener("online", online);
  }
}
