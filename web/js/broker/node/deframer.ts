/** Frames from a stream of bytes: Kafka puts the length of each, four bytes, before it. */

/** What has come claims to be a frame that no client sends: its connection must be closed. */
export class NoFrame extends Error {}

/**
 * Collects bytes until they are frames. It holds what has come and no more, whatever length is
 * claimed.
 */
export class Deframer {
  #largest: number;
  #chunks: Uint8Array[] = [];
  #held = 0;
  /** The length of the frame that is coming, once it is known. */
  #wanted: number | undefined;

  /** No frame may have more bytes than `largest`. */
  constructor(largest: number) {
    this.#largest = largest;
  }

  /** Takes what has come; returns the frames that it completes. */
  push(bytes: Uint8Array): ArrayBuffer[] {
    this.#chunks.push(bytes);
    this.#held += bytes.length;
    const frames: ArrayBuffer[] = [];
    for (;;) {
      if (this.#wanted === undefined) {
        if (this.#held < 4) return frames;
        this.#wanted = new DataView(this.#take(4)).getInt32(0);
        if (this.#wanted < 0 || this.#wanted > this.#largest) {
          throw new NoFrame(`a frame of ${this.#wanted} bytes`);
        }
      }
      if (this.#held < this.#wanted) return frames;
      frames.push(this.#take(this.#wanted));
      this.#wanted = undefined;
    }
  }

  /** The first `length` bytes, in a buffer of their own. */
  #take(length: number): ArrayBuffer {
    const taken = new Uint8Array(length);
    let at = 0;
    let used = 0;
    for (let chunk; at < length && (chunk = this.#chunks[used]); ) {
      const part = chunk.subarray(0, length - at);
      taken.set(part, at);
      at += part.length;
      if (part.length < chunk.length) this.#chunks[used] = chunk.subarray(part.length);
      else used += 1;
    }
    this.#chunks.splice(0, used);
    this.#held -= length;
    return taken.buffer;
  }
}
