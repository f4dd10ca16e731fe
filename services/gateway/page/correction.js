/** Correct a comment's label: set a human's label in place of the model's, or remove it. */

import { RequestError } from "/static/api.js";
import { h, setText } from "/static/dom.js";

/** Milliseconds for which sending a correction is retried, also after the dialog was closed. */
const RETRY_TIMEOUT = 60_000;

const CHOICES = [["positive", "Positive"], ["neutral", "Neutral"], ["negative", "Negative"], ["", "As the model"]];

/**
 * The control for one record. `send` sends the correction, and retries until the signal aborts. `onSaved` gets the effective label
 * once it is stored: the human's, else the model's, null if the model has none.
 * @param {any} record @param {(label: string | null) => void} onSaved @param {(override: object, signal: AbortSignal) => Promise<void>} send
 */
export function correctionControl(record, onSaved, send) {
  let current = record.judged_by === "human" ? record.label : "";
  const note = h("small", { role: "status" });
  const choice = h("select", { "aria-label": "Label of this comment", onchange: () => void correct() },
    ...CHOICES.map(([value, text]) => h("option", { value, selected: value === current }, text)));

  async function correct() {
    const label = choice.value, signal = AbortSignal.timeout(RETRY_TIMEOUT);
    choice.disabled = true;
    setText(note, "Saving…");
    try {
      await send({ subject: record.subject, comment: record.text_hash, label: label || null, themes: themesByHuman(record) }, signal);
      current = label;
      onSaved(label || record.model_label);
      setText(note, "Saved");
    } catch (error) {
      choice.value = current;
      setText(note, error instanceof RequestError ? error.message : "No answer. Try again.");
      if (!(error instanceof RequestError || signal.aborted)) throw error;
    } finally {
      choice.disabled = false;
    }
  }

  return h("p", { class: "correction" }, choice, note);
}

/** The themes that a human has set: an override replaces the previous one completely, so they are sent again. */
const themesByHuman = (record) => (record.themes_by === "human" ? record.themes.map(({ theme }) => theme) : []);
