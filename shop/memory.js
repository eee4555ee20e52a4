// What this browser remembers. Where nothing may be stored, it is forgotten with the page.

const unstored = new Map();

/** The value under a name, else `otherwise`. */
export function recall(name, otherwise) {
  try {
    const text = localStorage.getItem(`atelier.${name}`);
    return text === null ? unstored.get(name) ?? otherwise : JSON.parse(text);
  } catch {
    return unstored.get(name) ?? otherwise;
  }
}

/** Keeps a value that is JSON. */
export function remember(name, value) {
  unstored.set(name, value);
  try {
    localStorage.setItem(`atelier.${name}`, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden.
  }
}

/** A set of ids, such as of the reviews that were voted for. The oldest of many are forgotten. */
export class RememberedIds {
  constructor(name) {
    this.name = name;
  }

  has(id) {
    return recall(this.name, []).includes(id);
  }

  add(id) {
    remember(this.name, [...recall(this.name, []).filter(other => other !== id), id].slice(-500));
  }
}
