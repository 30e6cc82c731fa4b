import { STATUS, StatusError } from './etcd-status.ts';

/** Compressed or not, then the length. */
const HEAD_BYTES = 5;

/** The largest answer that is taken. etcd sends no page of a listing in pieces. */
const LARGEST_BYTES = 64 << 20;

/** A message as gRPC sends it (PROTOCOL-HTTP2, "Length-Prefixed-Message"). */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, HEAD_BYTES);
  return frame;
}

/** Cuts a stream of bytes into its messages. */
export class FrameReader {
  #rest: Buffer[] = [];
  #size = 0;

  /** The messages that `part` completes. @throws {StatusError} when one is larger than what is taken, or compressed. */
  push(part: Buffer): readonly Buffer[] {
    this.#rest.push(part);
    this.#size += part.length;
    const messages: Buffer[] = [];
    for (let end = this.#end(); end !== undefined && end <= this.#size; end = this.#end()) {
      const whole = this.#whole();
      messages.push(whole.subarray(HEAD_BYTES, end));
      this.#rest = end === whole.length ? [] : [whole.subarray(end)];
      this.#size = whole.length - end;
    }
    return messages;
  }

  /** Where the message at the beginning ends; `undefined`: not known yet. */
  #end(): number | undefined {
    if (this.#size < HEAD_BYTES) return undefined;
    const [first] = this.#rest;
    const head = first !== undefined && first.length >= HEAD_BYTES ? first : this.#whole();
    const length = head.readUInt32BE(1);
    if (head[0] !== 0) throw new StatusError(STATUS.internal, 'the answer is compressed, which nobody asked for');
    if (length <= LARGEST_BYTES) return HEAD_BYTES + length;
    throw new StatusError(
      STATUS.resourceExhausted,
      `Received message larger than max (${length} vs. ${LARGEST_BYTES})`,
    );
  }

  /** All that is there, in one piece. */
  #whole(): Buffer {
    const [first] = this.#rest;
    if (this.#rest.length === 1 && first !== undefined) return first;
    const whole = Buffer.concat(this.#rest);
    this.#rest = [whole];
    return whole;
  }
}
