// Where messages go on a machine that has no mail server yet: a receiver of webhooks of our own, on loopback, that keeps
// them in a file. They travel the whole road of `notify`, HTTP and signature included.
import { appendFile } from 'node:fs/promises'
import type { Hono } from 'hono'

const BODY_BYTES_MAX = 64 * 1024

export const MESSAGES_PATH = '/messages'

export function receiveMessages(app: Hono, file: string): void {
  app.post(MESSAGES_PATH, async (context) => {
    const text = await context.req.text()
    if (text.length > BODY_BYTES_MAX) return context.body(null, 413)
    await appendFile(file, `${text.replaceAll('\n', ' ')}\n`)
    return context.body(null, 204)
  })
}
