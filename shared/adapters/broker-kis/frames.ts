// What arrives on the websocket, sorted: JSON (acks, errors, heartbeat) begins with `{`, data with `0|` or `1|`.
import { createDecipheriv } from 'node:crypto'
import { type InstrumentId, instrumentId } from '#shared/domain/instrument.ts'
import { isObject, jsonObject } from './token.ts'

export interface AesKey {
  /** 32 and 16 characters, used as raw bytes. */
  readonly key: string
  readonly iv: string
}

export type Inbound =
  | { readonly kind: 'heartbeat' }
  | {
      readonly kind: 'ack'
      /** Absent when KIS could not read which it was: it then writes `(null)`. */
      readonly channel?: string
      readonly key?: string
      readonly succeeded: boolean
      readonly code: string
      readonly message: string
      readonly aes?: AesKey
    }
  | {
      readonly kind: 'data'
      readonly isEncrypted: boolean
      readonly channel: string
      readonly count: number
      readonly payload: string
    }
  | { readonly kind: 'unreadable'; readonly reason: string }

const DATA = /^([01])\|([A-Z0-9]{6,12})\|(\d{1,4})\|/

export function inboundOf(text: string): Inbound {
  if (text.startsWith('{')) return controlOf(text)
  const match = DATA.exec(text)
  const [head, flag, channel, digits] = match ?? []
  if (head === undefined || channel === undefined || Number(digits) < 1) {
    return { kind: 'unreadable', reason: 'neither JSON nor a data frame' }
  }
  return {
    kind: 'data',
    isEncrypted: flag === '1',
    channel,
    count: Number(digits),
    payload: text.slice(head.length),
  }
}

function controlOf(text: string): Inbound {
  const root = jsonObject(text)
  const header = root?.['header']
  if (!isObject(header)) return { kind: 'unreadable', reason: 'JSON without a header' }
  const channel = wordOf(header['tr_id'])
  if (channel === 'PINGPONG') return { kind: 'heartbeat' }
  const body = root?.['body']
  if (!isObject(body)) return { kind: 'unreadable', reason: 'JSON without a body' }
  const key = wordOf(header['tr_key'])
  const aes = aesOf(body['output'])
  return {
    kind: 'ack',
    ...(channel === undefined ? {} : { channel }),
    ...(key === undefined ? {} : { key }),
    succeeded: body['rt_cd'] === '0',
    code: wordOf(body['msg_cd']) ?? '',
    message: (wordOf(body['msg1']) ?? '').slice(0, 200),
    ...(aes === undefined ? {} : { aes }),
  }
}

const wordOf = (value: unknown): string | undefined => {
  if (typeof value !== 'string') return undefined
  const word = value.trim()
  return word === '' || word === '(null)' ? undefined : word
}

function aesOf(output: unknown): AesKey | undefined {
  if (!isObject(output)) return undefined
  const { key, iv } = output
  if (typeof key !== 'string' || typeof iv !== 'string') return undefined
  return Buffer.byteLength(key) === 32 && Buffer.byteLength(iv) === 16 ? { key, iv } : undefined
}

/** AES-256-CBC, PKCS#7, base64. Undefined when it does not decrypt to text: another key, or a broken payload. */
export function decrypted(payload: string, { key, iv }: AesKey): string | undefined {
  try {
    const decipher = createDecipheriv('aes-256-cbc', Buffer.from(key, 'utf8'), Buffer.from(iv, 'utf8'))
    const bytes = Buffer.concat([decipher.update(Buffer.from(payload, 'base64')), decipher.final()])
    return new TextDecoder('utf-8', { fatal: false }).decode(bytes)
  } catch {
    return undefined
  }
}

/** The instrument of a market frame's first record: what precedes the first `^`. */
export function firstInstrumentOf(payload: string): InstrumentId | undefined {
  const symbol = payload.slice(0, Math.max(0, payload.indexOf('^')))
  return /^[0-9A-Z]{6,7}$/.test(symbol) ? instrumentId(`${symbol}.KRX`) : undefined
}
