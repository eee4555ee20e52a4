// The API as this page calls it.
//
// Every answer says at which position of the stream its data stands. The highest one seen goes with each read, so that
// a page never shows less than an earlier one did, whichever replica answers. Every write has a key of its own, so that
// sending it again after a lost answer cannot store it twice.

import { display, pageNow } from './freshness.js';

const TRIES = 3;
const PATIENCE_MS = 20_000;
const LONGEST_PAUSE_MS = 5_000;
const HIGHEST = 'atelier.highest';

/** An answer that is not what was asked for, as the problem document says it. */
export class Problem extends Error {
  constructor(status, { detail, title, errors } = {}) {
    super(detail ?? title ?? `the shop answered with ${status}`);
    this.status = status;
    /** [{field, message}], where fields of a body are wrong. */
    this.errors = errors ?? [];
  }
}

/** The shop cannot be reached. */
export class Unreachable extends Error {
  constructor() {
    super('The shop cannot be reached. Look at your connection and try again.');
  }
}

/** Reads, and counts what came among what the page displays. */
export async function read(path, query = {}) {
  const url = path + asQuery(query);
  const page = pageNow();
  const headers = { accept: 'application/json' };
  const highest = highestSeen();
  if (highest) {
    headers['atelier-min-position'] = `${highest.epoch}-${highest.number}`;
  }
  const answer = await persistently(true, () => fetch(url, { headers, cache: 'no-cache', signal: patience() }));
  if (!answer.ok) {
    throw await problemOf(answer);
  }
  const staleness = answer.headers.get('atelier-staleness-ms');
  display(page, url, {
    position: positionOf(answer),
    staleness: staleness === null ? null : Number(staleness),
    stale: answer.headers.get('atelier-stale') === 'true',
  });
  return answer.json();
}

// One key for each write that is not settled: pressed again after a failure, the button sends the same key.
const unsettled = new Map();

/** Writes; the answer's body, or null where it has none. */
export async function write(method, path, body, { keyed = true } = {}) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const what = `${method} ${path} ${text ?? ''}`;
  const headers = { accept: 'application/json' };
  if (text !== undefined) {
    headers['content-type'] = 'application/json';
  }
  if (keyed) {
    unsettled.set(what, unsettled.get(what) ?? newKey());
    headers['idempotency-key'] = unsettled.get(what);
  }
  // Without a key a repeat could be a second write.
  const answer = await persistently(keyed, () => fetch(path, { method, headers, body: text, signal: patience() }));
  if (answer.status < 500) {
    unsettled.delete(what);
  }
  positionOf(answer);
  if (!answer.ok) {
    throw await problemOf(answer);
  }
  return answer.status === 204 ? null : answer.json().catch(() => null);
}

/** The highest position seen, also before a reload. */
export function highestSeen() {
  try {
    return parsePosition(sessionStorage.getItem(HIGHEST));
  } catch {
    return highest;
  }
}

let highest = null;

function positionOf(answer) {
  const position = parsePosition(answer.headers.get('atelier-position'));
  const before = highestSeen();
  // A position means something within its epoch only; the newest word on the epoch counts.
  if (position && (before?.epoch !== position.epoch || before.number < position.number)) {
    highest = position;
    try {
      sessionStorage.setItem(HIGHEST, `${position.epoch}-${position.number}`);
    } catch {
      // Then a reload begins anew.
    }
  }
  return position;
}

function parsePosition(text) {
  const [, epoch, number] = /^([a-z2-7]+)-(\d+)$/.exec(text ?? '') ?? [];
  return epoch ? { epoch, number: Number(number) } : null;
}

async function persistently(repeatable, ask) {
  for (let left = TRIES - 1; ; left -= 1) {
    const answer = await ask().catch(() => null);
    const failed = answer === null || [502, 503, 504].includes(answer.status);
    if (!failed || !repeatable || left === 0) {
      if (answer === null) {
        throw new Unreachable();
      }
      return answer;
    }
    const asked = Number(answer?.headers.get('retry-after') ?? 0) * 1000;
    await new Promise(resolve => setTimeout(resolve, Math.min(asked || 500, LONGEST_PAUSE_MS)));
  }
}

async function problemOf(answer) {
  return new Problem(answer.status, await answer.json().catch(() => ({})));
}

function patience() {
  return AbortSignal.timeout(PATIENCE_MS);
}

function asQuery(query) {
  const text = new URLSearchParams(query).toString();
  return text ? `?${text}` : '';
}

// `randomUUID` exists on secure origins only.
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');
}
