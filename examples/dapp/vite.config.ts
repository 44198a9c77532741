import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const house = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

// Tests start several at once, each with a folder of its own, and want no page to change meanwhile.
const { VITE_CACHE_DIR: cacheDir } = process.env;

export default defineConfig({
  plugins: [react()],
  // An app of your own has the package installed, and needs none of this.
  resolve: { alias: { 'tollhouse/client': house('src/client/tollhouseClient.ts') } },
  server: { fs: { allow: ['.', house('src/client'), house('node_modules')] }, ...(cacheDir && { watch: null }) },
  ...(cacheDir && { cacheDir }),
});
