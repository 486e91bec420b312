// Tests that need servers. `npm run test:integration` starts them and passes their addresses as settings.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{apps,bench,connectors,functions,scripts,shared,test}/**/*.integration.test.ts'],
    exclude: ['**/node_modules/**'],
    globalSetup: ['test/global-setup.ts'],
    passWithNoTests: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // The files share the servers, and some of them stop and start servers of their own.
    fileParallelism: false,
  },
})
