/** Correcting a comment's label: a human's word in the model's place, or the word back to the model. */

import { Refused } from "/static/api.js";
import { h, setText } from "/static/dom.js";

/** Milliseconds for which a judgement is tried to be sent. It outlives the dialog: what was said there is meant. */
const PATIENCE = 60_000;

const CHOICES = [["positive", "Positive"], ["neutral", "Neutral"], ["negative", "Negative"], ["", "As the model"]];

/**
 * The control for one record. `send` sends the judgement until the signal says stop; `told` hears the label that counts once it is
 * taken: the human's, else the model's, null where the model has none.
 * @param {any} record @param {(label: string | null) => void} told @param {(judgement: object, signal: AbortSignal) => Promise<void>} send
 */
export function correction(record, told, send) {
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
      told(label || record.model_label);
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
