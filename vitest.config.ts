import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{apps,bench,connectors,functions,scripts,shared,test}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/*.integration.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    passWithNoTests: false,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
