// Reads a request body within a limit, straight from Node's stream.
import type { IncomingMessage } from 'node:http'

export type RequestBody =
  | { readonly outcome: 'read'; readonly bytes: Buffer }
  | { readonly outcome: 'tooLarge' }
  /** The client went away, or was sent away for being slow. */
  | { readonly outcome: 'gone' }

const EMPTY = Buffer.alloc(0)

/** Always resolves: Node's request timeout ends a body that does not come. */
export function readBody(incoming: IncomingMessage, bytesMax: number): Promise<RequestBody> {
  return new Promise((resolve) => {
    const declared = Number(incoming.headers['content-length'] ?? 0)
    if (declared > bytesMax) {
      resolve({ outcome: 'tooLarge' })
      return
    }
    let only: Buffer = EMPTY
    let chunks: Buffer[] | undefined
    let size = 0
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > bytesMax) {
        incoming.pause()
        incoming.removeAllListeners('data')
        resolve({ outcome: 'tooLarge' })
      } else if (size === chunk.length) {
        only = chunk
      } else {
        chunks ??= [only]
        chunks.push(chunk)
      }
    })
    incoming.on('end', () => {
      resolve({ outcome: 'read', bytes: chunks === undefined ? only : Buffer.concat(chunks, size) })
    })
    incoming.on('error', () => resolve({ outcome: 'gone' }))
    incoming.on('close', () => resolve({ outcome: 'gone' }))
  })
}
