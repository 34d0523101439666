// SPDX-License-Identifier: Apache-2.0
// Who is signed in. The cookie itself is out of a script's reach; what is here comes from
// GET /console/session.
export interface Who {
  id: string;
  name: string;
  principal: string;
  kind: string;
  account: string;
  region: string;
  signedInBy: string;
  begun: string;
  ends: string;
  csrfToken: string;
}

export const session = $state<{ who: Who | null; asked: boolean; ended: boolean }>({
  who: null,
  asked: false,
  ended: false,
});

// The page stays where it is, and goes on after the next sign-in.
export function sessionEnded() {
  if (session.who) session.ended = true;
  session.who = null;
}

// Whether the server has answered.
export async function findSession(): Promise<boolean> {
  try {
    const response = await fetch('/console/session', { credentials: 'same-origin', cache: 'no-store' });
    if (response.ok) {
      session.who = await response.json();
      session.ended = false;
    } else if (response.status === 401) {
      sessionEnded();
    }
    return true;
  } catch {
    return false; // Who was signed in still is.
  } finally {
    session.asked = true;
  }
}
