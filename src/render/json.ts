/** Exactly one JSON document, indented by two, ended by a newline. */
export function renderJson(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
