import * as v from 'valibot';

const prefixSchema = v.object({ prefix: v.object({ addr: v.string(), len: v.number() }) });
const matchSchema = v.object({
  op: v.picklist(['==', '!=']),
  left: v.union([
    v.object({ payload: v.object({ protocol: v.string(), field: v.string() }) }),
    v.object({ meta: v.object({ key: v.string() }) }),
  ]),
  right: v.union([prefixSchema, v.string(), v.number()]),
});
/** A list since nft 1.0.9, one word before. */
const masqueradeSchema = v.object({ flags: v.union([v.string(), v.array(v.string())]) });

/** A rule of `nft -j` in the words of flannel's rules; what they do not contain is shown as it is, so that it is equal to none. */
export function nftRuleText(expressions: readonly Readonly<Record<string, unknown>>[]): string {
  return expressions.map(expressionText).join(' ');
}

function expressionText(expression: Readonly<Record<string, unknown>>): string {
  const [[kind = '', value] = []] = Object.entries(expression);
  switch (kind) {
    case 'accept':
    case 'return':
      return kind;
    case 'match':
      return matchText(value) ?? JSON.stringify(expression);
    case 'masquerade':
      return masqueradeText(value) ?? JSON.stringify(expression);
    default:
      return JSON.stringify(expression);
  }
}

function matchText(value: unknown): string | undefined {
  const parsed = v.safeParse(matchSchema, value);
  if (!parsed.success) return undefined;
  const { op, left, right } = parsed.output;
  const subject = 'meta' in left ? `meta ${left.meta.key}` : `${left.payload.protocol} ${left.payload.field}`;
  return `${subject} ${op === '!=' ? '!= ' : ''}${rightText(right)}`;
}

function rightText(right: v.InferOutput<typeof matchSchema>['right']): string {
  if (typeof right === 'string') return right;
  if (typeof right === 'number') return `0x${right.toString(16)}`;
  return `${right.prefix.addr}/${right.prefix.len}`;
}

function masqueradeText(value: unknown): string | undefined {
  if (value === null) return 'masquerade';
  const parsed = v.safeParse(masqueradeSchema, value);
  return parsed.success ? ['masquerade', parsed.output.flags].flat().join(' ') : undefined;
}
