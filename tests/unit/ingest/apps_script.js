// Runs the Apps Script on standard input in an imitation of Google's services. Prints its requests, pauses and properties as JSON.
// argv[2] is the scenario: {"run": [[function, …response ids]], "answers": [status, …], "properties": {…}}.
const crypto = require('crypto');
const fs = require('fs');
const vm = require('vm');

const scenario = JSON.parse(process.argv[2]);
const state = { requests: [], pauses: [], triggers: [], properties: { ...scenario.properties } };

// A clock that goes on while the script sleeps.
let slept = 0;
class Clock extends Date {
  constructor(...parts) {
    if (parts.length) super(...parts);
    else super(Date.now() + slept);
  }
  static now() {
    return Date.now() + slept;
  }
}

const signedBytes = (buffer) => [...buffer].map((byte) => (byte > 127 ? byte - 256 : byte));
const bufferOf = (bytes) => Buffer.from(bytes.map((byte) => byte & 255));

const item = (id, title, type, more = {}) => ({ getId: () => id, getTitle: () => title, getType: () => ({ toString: () => type }), ...more });
const items = [
  item(101, 'How likely are you to recommend us?', 'SCALE', { asScaleItem: () => ({ getLowerBound: () => 0, getUpperBound: () => 10 }) }),
  item(102, 'Rate our support', 'RATING', { asRatingItem: () => ({ getRatingScaleLevel: () => 5 }) }),
  item(103, 'Comments', 'PARAGRAPH_TEXT'),
  item(109, 'About you', 'SECTION_HEADER'),
];
const response = (id, minute, answers) => ({
  getId: () => id,
  getTimestamp: () => new Date(Date.UTC(2026, 10, 20, 9, minute)),
  getRespondentEmail: () => (id === 'r-1' ? 'jo@example.org' : ''),
  getResponseForItem: (one) => (one.getId() in answers ? { getResponse: () => answers[one.getId()] } : null),
});
const responses = [
  response('r-2', 20, { 101: '3' }),
  response('r-1', 10, { 101: '9', 102: '4', 103: 'Großartig – „danke“' }),
  response('r-3', 30, { 103: 'Fine' }),
];
const form = {
  getId: () => 'form-1',
  getTitle: () => 'Support feedback',
  getItems: () => items,
  getResponse: (id) => responses.find((one) => one.getId() === id) || null,
  getResponses: (since) => responses.filter((one) => one.getTimestamp() >= since),
};
const trigger = (name) => ({
  forForm: () => ({ onFormSubmit: () => ({ create: () => state.triggers.push(name) }) }),
  timeBased: () => ({ everyHours: () => ({ create: () => state.triggers.push(name) }) }),
});

const context = vm.createContext({
  console: { error: () => undefined },
  Date: Clock,
  FormApp: { getActiveForm: () => form },
  LockService: { getScriptLock: () => ({ tryLock: () => true, releaseLock: () => undefined }) },
  PropertiesService: {
    getScriptProperties: () => ({
      getKeys: () => Object.keys(state.properties),
      getProperty: (name) => state.properties[name] ?? null,
      setProperty: (name, value) => { state.properties[name] = value; },
      deleteProperty: (name) => { delete state.properties[name]; },
    }),
  },
  ScriptApp: { getProjectTriggers: () => [], newTrigger: trigger },
  UrlFetchApp: {
    fetch: (url, options) => {
      state.requests.push({ url, ...options });
      const status = scenario.answers.length ? scenario.answers.shift() : 202;
      if (status === 0) throw new Error('no connection');
      return { getResponseCode: () => status, getContentText: () => '' };
    },
  },
  Utilities: {
    base64Decode: (text) => signedBytes(Buffer.from(text, 'base64')),
    base64Encode: (bytes) => bufferOf(bytes).toString('base64'),
    computeHmacSha256Signature: (value, key) => signedBytes(crypto.createHmac('sha256', bufferOf(key)).update(bufferOf(value)).digest()),
    newBlob: (text) => ({ getBytes: () => signedBytes(Buffer.from(text, 'utf8')) }),
    sleep: (milliseconds) => {
      state.pauses.push(milliseconds);
      slept += milliseconds;
    },
  },
});
vm.runInContext(fs.readFileSync(0, 'utf8'), context);
for (const [name, ...ids] of scenario.run) {
  if (ids.length) ids.forEach((id) => context[name]({ response: form.getResponse(id) }));
  else context[name]();
}
console.log(JSON.stringify(state));
