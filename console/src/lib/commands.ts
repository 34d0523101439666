// SPDX-License-Identifier: Apache-2.0
// Commands to devices: asked for with StartCommand, their answers read one page after the other
// until the last (docs/commands.md). One that nobody reads is canceled by the server.
import { ApiError, call, type Answer } from './api';

const WAIT_SECONDS = '10';

export interface Progress {
  bytes: number;
  ofBytes: number;
  text: string;
}

export class DeviceCommand {
  #id = '';
  #isStopped = false;
  constructor(
    readonly thing: string,
    readonly input: Record<string, unknown>,
  ) {}

  // What it came to; each answer on the way goes to `take`. One that went wrong throws the
  // device's own error, one that was stopped here gives undefined.
  async run(take: (answer: Answer) => void = () => {}): Promise<Answer> {
    this.#id = (await call('andon', 'StartCommand', { thing: this.thing, ...this.input })).commandId;
    if (this.#isStopped) this.#cancel();
    let after = 0;
    for (;;) {
      const page = await call('andon', 'ReadCommand', {
        commandId: this.#id,
        after: String(after),
        waitSeconds: WAIT_SECONDS,
      });
      if (!this.#isStopped) page.answers.forEach(take);
      after = page.after;
      if (!page.isOver) continue;
      if (page.status === 'SUCCEEDED') return page.result ?? {};
      if (this.#isStopped) return undefined;
      // As a gateway says that the one behind it has failed.
      throw new ApiError(502, page.error?.code ?? page.status, page.error?.message ?? page.status);
    }
  }

  stop() {
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (this.#id) this.#cancel();
  }

  #cancel() {
    // One that is over meanwhile, or that may not be canceled, ends by itself.
    call('andon', 'CancelCommand', { commandId: this.#id }).catch(() => {});
  }
}

// The bytes of a file that comes in pieces; what was lost on the way is said, and not given.
export class Pieces {
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;

  take(answer: Answer) {
    if (answer.data === undefined) return;
    const text = atob(answer.data);
    const part = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at += 1) part[at] = text.charCodeAt(at);
    this.#parts.push(part);
    this.#bytes += part.length;
  }

  file(result: Answer, type: string): Blob {
    if (this.#bytes !== result.bytes) {
      throw new ApiError(502, 'data_corrupted', `${this.#bytes} of ${result.bytes} bytes have come`);
    }
    return new Blob(this.#parts, { type });
  }
}
