// SPDX-License-Identifier: Apache-2.0
// Whether somebody is there. What a page asks while nobody is keeps no session (X-Andon-Unattended):
// else one that is left open would never end. Who only reads and scrolls is there, too.
const GONE_MS = 60_000;
const SAY_AFTER_MS = 300_000;

let acted = Date.now();
let said = Date.now();
let say: (() => void) | undefined;

export const isAttended = () => Date.now() - acted < GONE_MS;

// To be called of each call that counts as a use.
export function used() {
  said = Date.now();
}

// `tell` is called when somebody is there and no call has said so for a while.
export function watchAttention(tell: () => void) {
  say = tell;
}

function act() {
  acted = Date.now();
  if (acted - said < SAY_AFTER_MS) return;
  used();
  say?.();
}

for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart']) {
  document.addEventListener(kind, act, { passive: true, capture: true });
}
