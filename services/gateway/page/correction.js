/** Correct a comment's label: set a human's label in place of the model's, or remove it. */

import { Refused } from "/static/api.js";
import { h, setText } from "/static/dom.js";

/** Milliseconds for which sending a correction is retried, also after the dialog was closed. */
const PATIENCE = 60_000;

const CHOICES = [["positive", "Positive"], ["neutral", "Neutral"], ["negative", "Negative"], ["", "As the model"]];

/**
 * The control for one record. `send` sends the correction, and retries until the signal aborts. `onSaved` gets the effective label
 * once it is stored: the human's, else the model's, null if the model has none.
 * @param {any} record @param {(label: string | null) => void} onSaved @param {(judgement: object, signal: AbortSignal) => Promise<void>} send
 */
export function correction(record, onSaved, send) {
  let current = record.judged_by === "human" ? record.label : "";
  const note = h("small", { role: "status" });
  const choice = h("select", { "aria-label": "Label of this comment", onchange: () => void correct() },
    ...CHOICES.map(([value, text]) => h("option", { value, selected: value === current }, text)));

  async function correct() {
    const label = choice.value, signal = AbortSignal.timeout(PATIENCE);
    choice.disabled = true;
    setText(note, "Saving…");
    try {
      await send({ subject: record.subject, comment: record.text_hash, label: label || null, themes: keptThemes(record) }, signal);
      current = label;
      onSaved(label || record.model_label);
      setText(note, "Saved");
    } catch (error) {
      choice.value = current;
      setText(note, error instanceof Refused ? error.message : "No answer. Try again.");
      if (!(error instanceof Refused || signal.aborted)) throw error;
    } finally {
      choice.disabled = false;
    }
  }

  return h("p", { class: "correction" }, choice, note);
}

/** A judgement replaces the one before whole, so a human's themes are sent again. */
const keptThemes = (record) => (record.themes_by === "human" ? record.themes.map(({ theme }) => theme) : []);
