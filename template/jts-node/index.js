// Starts what lies in function/: a bundle of JTS, which serves by itself, or a handler, which our runtime serves.
import { existsSync } from 'node:fs'

const bundle = new URL('./function/index.mjs', import.meta.url)
if (existsSync(bundle)) {
  await import(bundle.href)
} else {
  const { serveHandler } = await import('./runtime.js')
  await serveHandler(await import('./function/handler.js'), process.env)
}
