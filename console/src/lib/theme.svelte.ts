// SPDX-License-Identifier: Apache-2.0
// Light or dark: as the machine has it until somebody chooses.
export type Theme = 'light' | 'dark';

const system = matchMedia('(prefers-color-scheme: dark)');

function kept(): Theme | undefined {
  try {
    const value = localStorage.getItem('andon-theme');
    return value === 'light' || value === 'dark' ? value : undefined;
  } catch {
    return undefined; // a browser that keeps nothing
  }
}

export const theme = $state<{ now: Theme }>({ now: kept() ?? (system.matches ? 'dark' : 'light') });

function show() {
  document.documentElement.dataset.theme = theme.now;
}

export function choose(next: Theme) {
  theme.now = next;
  show();
  try {
    localStorage.setItem('andon-theme', next);
  } catch {
    // It holds for this page then.
  }
}

system.addEventListener('change', () => {
  if (!kept()) {
    theme.now = system.matches ? 'dark' : 'light';
    show();
  }
});
show();
