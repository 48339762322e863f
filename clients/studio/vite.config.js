import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const packagesFolder = join(dirname(fileURLToPath(import.meta.url)), 'node_modules');

/**
 * Writes licenses.txt: the licence of every package that is in the built page, and the notices at the head of its files.
 * A text that several packages share stands there once.
 */
function licences() {
  return {
    name: 'licences',
    generateBundle(_, bundle) {
      const packages = new Map();
      for (const id of Object.values(bundle).flatMap(chunk => Object.keys(chunk.modules ?? {}))) {
        const [, folder] = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id) ?? [];
        if (!folder) continue;
        const notices = packages.get(folder) ?? packages.set(folder, new Set()).get(folder);
        const [head] = /^(\/\/.*\n)*/.exec(readFileSync(id.replace(/^\0|\?.*$/g, ''), 'utf8').replaceAll('\r', ''));
        if (/copyright/i.test(head)) notices.add(head.replaceAll(/^\/\/ ?/gm, '').trim());
      }

      const texts = new Map();
      for (const folder of [...packages.keys()].sort()) {
        const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
        const file = readdirSync(folder).find(entry => /^licen[cs]e/i.test(entry));
        const licence = readFileSync(file ? join(folder, file) : apache(about), 'utf8').replaceAll('\r', '').trim();
        for (const text of [...packages.get(folder), licence]) texts.set(text, [...(texts.get(text) ?? []), `${about.name} ${about.version}`]);
      }

      const parts = [...texts].map(([text, names]) => `${names.join(', ')}\n\n${text}\n`);
      const source = ['Dti Studio contains parts of these packages, under these licences.\n', ...parts].join(`\n${'-'.repeat(78)}\n\n`);
      this.emitFile({ type: 'asset', fileName: 'licenses.txt', source });
    },
  };
}

/** Leaves out the JSON form of messages, a tenth of the page: Dti Studio sends and receives the binary form alone. */
function binaryOnly() {
  const unused = /@bufbuild\/protobuf\/dist\/esm\/(from-json|to-json)\.js$/;
  return {
    name: 'binary-only',
    enforce: 'pre',
    load(id) {
      if (!unused.test(id)) return null;
      const names = [...readFileSync(id, 'utf8').matchAll(/^export (?:async )?function (\w+)/gm)].map(match => match[1]);
      return names.map(name => `export function ${name}() { throw new Error('JSON is left out'); }`).join('\n');
    },
  };
}

/** Packages of the Apache licence without its text: TypeScript, which is under it too, brings the text. */
function apache(about) {
  if (!/Apache-2\.0/.test(about.license)) throw new Error(`${about.name} has no licence file, and its licence is ${about.license}.`);
  return join(packagesFolder, 'typescript', 'LICENSE.txt');
}

// `npm run dev` passes calls on to a server: DTI_WEB=http://127.0.0.1:5172.
const server = process.env.DTI_WEB ?? 'http://127.0.0.1:5172';

export default defineConfig({
  base: './',
  plugins: [binaryOnly(), licences()],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2022',
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    // File names without hashes: a server says by ETag what has changed.
    rollupOptions: { output: { entryFileNames: 'studio.js', chunkFileNames: '[name].js', assetFileNames: 'studio[extname]', inlineDynamicImports: true } },
  },
  server: {
    proxy: { '/dti.v1.': { target: server, changeOrigin: true, configure: proxy => proxy.on('proxyReq', request => request.setHeader('origin', server)) } },
  },
});
