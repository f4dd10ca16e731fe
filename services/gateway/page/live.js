/** The live stream: server-sent events over fetch (an EventSource can't carry a key), resumed after every break. */

import { problem, sleep } from "/static/api.js";

const SILENCE = 40_000; // the gateway pings every 15 s: after this long the line is dead, whatever TCP believes
const REST = { least: 500, most: 15_000 };

/**
 * Read server-sent events from a stream of bytes (WHATWG HTML §9.2.6). Yields {id, event, data}; comments yield null, since
 * they, too, say that the line lives.
 */
export async function* events(stream) {
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
 * the state `refused` and the reason after any other 4xx, which would be the same again.
 * @param {import("/static/api.js").Api} api
 * @param {{onEvent: (event: string, data: any) => void, onState: (state: "live" | "connecting" | "waiting" | "refused", reason?: string) => void}} listeners
 */
export async function follow(api, url, { onEvent, onState }, signal) {
  let last = null, failures = 0;
  while (!signal.aborted) {
    onState("connecting");
    const line = new AbortController();
    const watchdog = silence(line);
    const offline = () => line.abort(new Error("offline"));
    addEventListener("offline", offline);
    try {
      const headers = { ...api.headers, Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) };
      const response = await fetch(url, { headers, signal: AbortSignal.any([signal, line.signal]), cache: "no-store" });
      if (response.status === 401) {
        api.refuseKey();
        return;
      }
      if (response.status >= 400 && response.status < 500 && response.status !== 429) {
        onState("refused", await problem(response));
        return;
      }
      if (!response.ok) throw new Error(`Answered ${response.status}`);
      onState("live");
      for await (const message of events(response.body)) {
        failures = 0;
        watchdog.heard();
        if (message === null) continue;
        last = message.id || last;
        if (message.event !== "ping") onEvent(message.event, JSON.parse(message.data));
      }
    } catch (error) {
      if (signal.aborted) return;
      console.info("The live stream broke off and will be resumed:", error.message);
    } finally {
      watchdog.stop();
      removeEventListener("offline", offline);
    }
    onState("waiting");
    failures += 1;
    await rested(failures, signal);
  }
}

/** Cuts `line` when nothing has been heard for too long. */
function silence(line) {
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => line.abort(new Error("silence")), SILENCE);
  };
  heard();
  return { heard, stop: () => clearTimeout(timer) };
}

/** Rest longer after each failure, with a spread so that a wall of screens doesn't come back at once; less when the network returns. */
async function rested(failures, signal) {
  const longest = Math.min(REST.most, REST.least * 2 ** failures);
  const wake = new AbortController();
  const online = () => wake.abort();
  addEventListener("online", online, { once: true });
  try {
    await sleep(longest * (0.5 + Math.random() / 2), AbortSignal.any([signal, wake.signal]));
  } catch {
    // Stopped, or the network is back: the loop looks which.
  } finally {
    removeEventListener("online", online);
  }
}
