/**
 * Sends the responses of this Google form to Earshot, new and edited ones as they come, earlier ones by `sendHistory`.
 * Fill in the two lines, then run `install` once.
 */
const HOOK_URL = 'https://earshot.example/v1/hooks/con_…';
const SECRET = 'whsec_…';

const ATTEMPTS = 6;
const LONGEST_RUN = 4 * 60 * 1000;
const QUESTIONS = ['SCALE', 'RATING', 'TEXT', 'PARAGRAPH_TEXT', 'MULTIPLE_CHOICE', 'LIST', 'CHECKBOX', 'DATE', 'DATETIME', 'TIME', 'DURATION'];

/** Run once: creates the triggers, and asks for the permissions. */
function install() {
  ScriptApp.getProjectTriggers().forEach((trigger) => ScriptApp.deleteTrigger(trigger));
  ScriptApp.newTrigger('onResponse').forForm(FormApp.getActiveForm()).onFormSubmit().create();
  ScriptApp.newTrigger('resend').timeBased().everyHours(1).create();
}

/** Sends a response that was submitted or edited. If that fails, `resend` sends it within the hour. */
function onResponse(event) {
  const sentAt = new Date().toISOString();
  if (!send(FormApp.getActiveForm(), event.response, sentAt)) {
    PropertiesService.getScriptProperties().setProperty('response:' + event.response.getId(), sentAt);
  }
}

/** Run once, if you want the earlier responses: sends all of them, the oldest first, over several runs if they are many. */
function sendHistory() {
  PropertiesService.getScriptProperties().setProperty('history', new Date(0).toISOString());
  resend();
}

/** Sends what could not be sent, then goes on with the history. */
function resend() {
  const lock = LockService.getScriptLock();
  if (!lock.tryLock(1000)) return;
  try {
    const form = FormApp.getActiveForm();
    const deadline = Date.now() + LONGEST_RUN;
    if (sendFailed(form, deadline)) sendEarlier(form, deadline);
  } finally {
    lock.releaseLock();
  }
}

function sendFailed(form, deadline) {
  const properties = PropertiesService.getScriptProperties();
  for (const name of properties.getKeys().filter((key) => key.startsWith('response:'))) {
    if (Date.now() > deadline) return false;
    const sentAt = properties.getProperty(name);
    const response = form.getResponse(name.slice('response:'.length));
    if (response && !send(form, response, sentAt)) return false;
    if (properties.getProperty(name) === sentAt) properties.deleteProperty(name);
  }
  return true;
}

function sendEarlier(form, deadline) {
  const properties = PropertiesService.getScriptProperties();
  const since = properties.getProperty('history');
  if (!since) return;
  const responses = form.getResponses(new Date(new Date(since).getTime() - 1)).sort((one, other) => one.getTimestamp() - other.getTimestamp());
  for (const response of responses) {
    const submittedAt = response.getTimestamp().toISOString();
    if (Date.now() > deadline || !send(form, response, submittedAt)) return;
    properties.setProperty('history', submittedAt);
  }
  properties.deleteProperty('history');
}

/** Sends one response, several times if Earshot does not answer. Returns whether it was accepted. */
function send(form, response, sentAt) {
  const body = JSON.stringify(payload(form, response, sentAt));
  const id = response.getId() + ':' + sentAt;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt) Utilities.sleep(1000 * 2 ** attempt);
    try {
      const answer = UrlFetchApp.fetch(HOOK_URL, {
        method: 'post', contentType: 'application/json', payload: body, headers: sign(id, body), muteHttpExceptions: true,
      });
      if (answer.getResponseCode() < 300) return true;
      console.error('Earshot answered ' + answer.getResponseCode() + ': ' + answer.getContentText().slice(0, 500));
    } catch (error) {
      console.error('Earshot did not answer: ' + error);
    }
  }
  return false;
}

/** The headers of Standard Webhooks. */
function sign(id, body) {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const key = Utilities.base64Decode(SECRET.slice('whsec_'.length));
  const signed = Utilities.newBlob(id + '.' + timestamp + '.' + body).getBytes();
  const signature = Utilities.base64Encode(Utilities.computeHmacSha256Signature(signed, key));
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': 'v1,' + signature };
}

function payload(form, response, sentAt) {
  return {
    source: 'google_forms',
    version: 1,
    formId: form.getId(),
    formTitle: form.getTitle(),
    responseId: response.getId(),
    submittedAt: response.getTimestamp().toISOString(),
    sentAt: sentAt,
    respondentEmail: response.getRespondentEmail() || null,
    answers: form.getItems().filter((item) => QUESTIONS.includes(String(item.getType()))).map((item) => answer(item, response)),
  };
}

/** The answer to a question; `response` is null if there is none. A scale states its ends. */
function answer(item, response) {
  const type = String(item.getType());
  const answered = response.getResponseForItem(item);
  const result = { itemId: String(item.getId()), title: item.getTitle(), type: type, response: answered ? answered.getResponse() : null };
  if (type === 'SCALE') result.scale = [item.asScaleItem().getLowerBound(), item.asScaleItem().getUpperBound()];
  if (type === 'RATING') result.scale = [1, item.asRatingItem().getRatingScaleLevel()];
  return result;
}
