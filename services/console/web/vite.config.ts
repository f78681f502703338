import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const SMALL = 1024;
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };

/** Writes .br and .gz beside each file that is worth it, for the server to hand out as they are. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    writeBundle({ dir = '' }, bundle) {
      for (const name of Object.keys(bundle).filter((each) => /\.(js|css|svg|json)$/.test(each))) {
        const content = readFileSync(join(dir, name));
        if (content.length < SMALL) continue;
        writeFileSync(join(dir, `${name}.br`), brotliCompressSync(content, BROTLI));
        writeFileSync(join(dir, `${name}.gz`), gzipSync(content, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), precompress()],
  resolve: { alias: { '@': `${import.meta.dirname}/src` } },
  build: {
    target: 'es2022',
    outDir: 'dist',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1500,
  },
  server: {
    proxy: Object.fromEntries(
      ['/session', '/login', '/logout', '/config', '/kapis', '/apis', '/api', '/openapi', '/version'].map(
        (path) => [path, { target: process.env.KS_CONSOLE_URL ?? 'http://127.0.0.1:30880', ws: true }],
      ),
    ),
  },
});
