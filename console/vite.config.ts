// SPDX-License-Identifier: Apache-2.0
// Served below /console/ under a policy that allows no inline script and no style attribute in
// markup: everything is a file of its own, with the digest of its content in its name.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/console/',
  plugins: [svelte()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
  },
});
