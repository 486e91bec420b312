// Reads a request body within a limit, straight from Node's stream.
import type { IncomingMessage } from 'node:http'

export type RequestBody =
  | { readonly outcome: 'read'; readonly bytes: Buffer }
  | { readonly outcome: 'tooLarge' }
  /** The client went away, or was sent away for being slow. */
  | { readonly outcome: 'gone' }

const EMPTY = Buffer.alloc(0)

/** Calls `done` once: Node's request timeout ends a body that does not come. */
export function readBody(
  incoming: IncomingMessage,
  bytesMax: number,
  done: (body: RequestBody) => void,
): void {
  const declared = Number(incoming.headers['content-length'] ?? 0)
  if (declared > bytesMax) return done({ outcome: 'tooLarge' })
  let only: Buffer = EMPTY
  let chunks: Buffer[] | undefined
  let size = 0
  let isOver = false
  const end = (body: RequestBody): void => {
    if (isOver) return
    isOver = true
    done(body)
  }
  incoming.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > bytesMax) {
      incoming.pause()
      incoming.removeAllListeners('data')
      end({ outcome: 'tooLarge' })
    } else if (size === chunk.length) {
      only = chunk
    } else {
      chunks ??= [only]
      chunks.push(chunk)
    }
  })
  incoming.on('end', () => {
    end({ outcome: 'read', bytes: chunks === undefined ? only : Buffer.concat(chunks, size) })
  })
  const gone = (): void => end({ outcome: 'gone' })
  incoming.on('error', gone)
  incoming.on('close', gone)
}
