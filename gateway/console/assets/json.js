// JSON that keeps numbers as they were written: a script's 64-bit integers and
// its 1.0 would not survive JavaScript's own numbers. Where the browser can't
// tell a number's source text, ordinary numbers are what is left.

export function parse(text) {
  return JSON.parse(text, (key, value, context) =>
    typeof value === 'number' && context?.source !== undefined && context.source !== String(value) && JSON.rawJSON
      ? JSON.rawJSON(context.source)
      : value);
}

export function print(value) {
  return JSON.stringify(value, null, 2);
}

// Raw is JSON text that goes into a message as it is.
export class Raw {
  constructor(text) {
    JSON.parse(text); // Throws for anything that would break the message.
    this.text = text;
  }
}

// encode writes an object whose direct members may be Raw.
export function encode(object) {
  const members = Object.entries(object)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${value instanceof Raw ? value.text : JSON.stringify(value)}`);
  return `{${members.join(',')}}`;
}
