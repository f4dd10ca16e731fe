/** Correcting a comment's label: a human's word in the model's place, or the word back to the model. */

import { Refused } from "/static/api.js";
import { h, setText } from "/static/dom.js";

const CHOICES = [["positive", "Positive"], ["neutral", "Neutral"], ["negative", "Negative"], ["", "As the model"]];

/**
 * The control for one record. `send` sends the judgement; `told` hears the label once it is taken, null where it is the model's again.
 * @param {any} record @param {(label: string | null) => void} told @param {(judgement: object) => Promise<void>} send
 */
export function correction(record, told, send) {
  let standing = record.judged_by === "human" ? record.label : "";
  const note = h("small", { role: "status" });
  const choice = h("select", { "aria-label": "Label of this comment", onchange: () => void correct() },
    ...CHOICES.map(([value, text]) => h("option", { value, selected: value === standing }, text)));

  async function correct() {
    const label = choice.value;
    choice.disabled = true;
    setText(note, "Saving…");
    try {
      await send({ subject: record.subject, comment: record.text_hash, label: label || null, themes: keptThemes(record) });
      standing = label;
      told(label || null);
      setText(note, "Saved");
    } catch (error) {
      choice.value = standing;
      setText(note, error instanceof Refused ? error.message : "");
      if (!(error instanceof Refused)) throw error;
    } finally {
      choice.disabled = false;
    }
  }

  return h("p", { class: "correction" }, choice, note);
}

/** A judgement replaces the one before whole, so a human's themes are sent again. */
const keptThemes = (record) => (record.themes_by === "human" ? record.themes.map(({ theme }) => theme) : []);
