// A client as a user would write one, for tests: plain fetch and a plain websocket, nothing of the adapter.
import { createDecipheriv } from 'node:crypto'
import { expect } from 'vitest'
import { WebSocket } from 'ws'
import { systemRandomBytes } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts'

export const TRADER = {
  appKey: 'PS'.padEnd(36, 'k'),
  appSecret: 'S'.repeat(180),
  accountNumber: '5012345601',
  htsId: 'trader01',
}

export const startTestSimulator = (options: Partial<SimulatorOptions> = {}): Promise<Simulator> =>
  startSimulator({
    profile: 'paper',
    accounts: [TRADER],
    market: { kind: 'seeded', seed: 7, eventsPerSecond: 2 },
    speed: 'max',
    ratePerSecond: 10_000,
    feeRatio: '0.00014',
    stopwatch: systemStopwatch,
    randomBytes: systemRandomBytes,
    ...options,
  })

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // Answers are read as a user reads them in a shell; each test says what it expects of them.
  readonly body: Readonly<Record<string, unknown>> & {
    readonly rt_cd?: string
    readonly msg_cd?: string
    readonly msg1?: string
    readonly output?: Readonly<Record<string, string>>
    readonly output1?: readonly Readonly<Record<string, string>>[]
  }
}

const DOMESTIC = '/uapi/domestic-stock/v1'
export const ACCOUNT = { CANO: '50123456', ACNT_PRDT_CD: '01' }

export async function call(
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: JSON.parse(text) as Answer['body'],
  }
}

export const post = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  call(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  })

export interface Client {
  readonly headers: Readonly<Record<string, string>>
  get(
    path: string,
    trId: string,
    query: Record<string, string>,
    more?: Record<string, string>,
  ): Promise<Answer>
  post(
    path: string,
    trId: string,
    body: Record<string, unknown>,
    more?: Record<string, string>,
  ): Promise<Answer>
  /** order-cash of the paper host. `won` absent is a market order. */
  order(side: 'buy' | 'sell', symbol: string, units: number, won?: number, type?: string): Promise<Answer>
  change(originalNumber: string, kind: '01' | '02', won?: number): Promise<Answer>
  dailyOrders(more?: Record<string, string>, headers?: Record<string, string>): Promise<Answer>
}

export async function connect(simulator: Simulator, trader = TRADER): Promise<Client> {
  const issued = await post(`${simulator.restUrl}/oauth2/tokenP`, {
    grant_type: 'client_credentials',
    appkey: trader.appKey,
    appsecret: trader.appSecret,
  })
  const headers = {
    authorization: `Bearer ${String(issued.body['access_token'])}`,
    appkey: trader.appKey,
    appsecret: trader.appSecret,
    custtype: 'P',
  }
  const client: Client = {
    headers,
    get: (path, trId, query, more = {}) =>
      call(`${simulator.restUrl}${DOMESTIC}/${path}?${new URLSearchParams(query).toString()}`, {
        headers: { ...headers, tr_id: trId, ...more },
      }),
    post: (path, trId, body, more = {}) =>
      post(`${simulator.restUrl}${DOMESTIC}/${path}`, body, { ...headers, tr_id: trId, ...more }),
    order: (side, symbol, units, won, type) =>
      client.post('trading/order-cash', side === 'buy' ? 'VTTC0012U' : 'VTTC0011U', {
        ...ACCOUNT,
        PDNO: symbol,
        ORD_DVSN: type ?? (won === undefined ? '01' : '00'),
        ORD_QTY: String(units),
        ORD_UNPR: String(won ?? 0),
      }),
    change: (originalNumber, kind, won = 0) =>
      client.post('trading/order-rvsecncl', 'VTTC0013U', {
        ...ACCOUNT,
        KRX_FWDG_ORD_ORGNO: '00950',
        ORGN_ODNO: originalNumber,
        ORD_DVSN: '00',
        RVSE_CNCL_DVSN_CD: kind,
        ORD_QTY: '0',
        ORD_UNPR: String(won),
        QTY_ALL_ORD_YN: 'Y',
      }),
    dailyOrders: (more = {}, more2 = {}) =>
      client.get(
        'trading/inquire-daily-ccld',
        'VTTC0081R',
        {
          ...ACCOUNT,
          INQR_STRT_DT: '20260101',
          INQR_END_DT: '20261231',
          SLL_BUY_DVSN_CD: '00',
          PDNO: '',
          CCLD_DVSN: '00',
          INQR_DVSN: '01',
          ...more,
        },
        more2,
      ),
  }
  return client
}

export interface StreamClient {
  readonly socket: WebSocket
  /** Every text so far. */
  readonly texts: string[]
  /** The next text that matches, among those not yet waited for. */
  next(matches: (text: string) => boolean): Promise<string>
  subscribe(trId: string, trKey: string, type?: string): Promise<StreamAck>
  /** Plain fields of the next notice. */
  notice(): Promise<readonly string[]>
  closed: Promise<number>
}

export interface StreamAck {
  readonly header: Readonly<Record<string, string>>
  readonly body: {
    readonly rt_cd: string
    readonly msg_cd: string
    readonly msg1: string
    readonly output?: { readonly iv: string; readonly key: string }
  }
}

export async function approvalKey(simulator: Simulator, trader = TRADER): Promise<string> {
  const answer = await post(`${simulator.restUrl}/oauth2/Approval`, {
    grant_type: 'client_credentials',
    appkey: trader.appKey,
    secretkey: trader.appSecret,
  })
  return String(answer.body['approval_key'])
}

export async function listen(simulator: Simulator, key?: string): Promise<StreamClient> {
  const approval = key ?? (await approvalKey(simulator))
  const socket = new WebSocket(`${simulator.webSocketUrl}/tryitout`, { autoPong: false })
  const texts: string[] = []
  const waiting: { matches: (text: string) => boolean; resolve: (text: string) => void }[] = []
  const unread: string[] = []
  socket.on('message', (data: Buffer) => {
    const text = data.toString('utf8')
    texts.push(text)
    const index = waiting.findIndex(({ matches }) => matches(text))
    if (index >= 0) waiting.splice(index, 1)[0]?.resolve(text)
    else unread.push(text)
  })
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => socket.once('open', () => resolve()))
  const cipherKeys = new Map<string, { iv: string; key: string }>()
  const next = (matches: (text: string) => boolean): Promise<string> => {
    const index = unread.findIndex(matches)
    if (index >= 0) return Promise.resolve(unread.splice(index, 1)[0] ?? '')
    return new Promise((resolve) => {
      waiting.push({ matches, resolve })
    })
  }
  return {
    socket,
    texts,
    next,
    closed,
    async subscribe(trId, trKey, type = '1') {
      socket.send(
        JSON.stringify({
          header: { approval_key: approval, custtype: 'P', tr_type: type, 'content-type': 'utf-8' },
          body: { input: { tr_id: trId, tr_key: trKey } },
        }),
      )
      const ack = JSON.parse(
        await next((text) => text.startsWith('{') && !text.includes('PINGPONG')),
      ) as StreamAck
      if (ack.body.output !== undefined && type === '1') cipherKeys.set(trId, ack.body.output)
      return ack
    },
    async notice() {
      const frame = await next((text) => text.startsWith('1|'))
      const [, trId = '', , payload = ''] = frame.split('|')
      const cipherKey = cipherKeys.get(trId)
      if (cipherKey === undefined) throw new Error(`no key for ${trId}`)
      const decipher = createDecipheriv('aes-256-cbc', Buffer.from(cipherKey.key), Buffer.from(cipherKey.iv))
      const plain = Buffer.concat([decipher.update(Buffer.from(payload, 'base64')), decipher.final()])
      return plain.toString('utf8').split('^')
    },
  }
}

/** Process time that a test moves. Sleeping is real. */
export function handStopwatch(): Stopwatch & { add(ms: number): void } {
  let ms = 0
  return {
    elapsedMs: () => ms,
    sleep: (time, signal) => systemStopwatch.sleep(time, signal),
    add: (more) => {
      ms += more
    },
  }
}

export const quoteOf = (client: Client, more: Record<string, string> = {}): Promise<Answer> =>
  client.get(
    'quotations/inquire-price',
    'FHKST01010100',
    { FID_COND_MRKT_DIV_CODE: 'J', FID_INPUT_ISCD: '005930' },
    more,
  )

/** Plays the tape until so many events have happened in all. */
export async function playTo(simulator: Simulator, events: number): Promise<void> {
  const ending = new AbortController()
  const run = simulator.run(ending.signal)
  await expect
    .poll(() => simulator.report().tape.events, { interval: 5, timeout: 10_000 })
    .toBeGreaterThan(events)
  ending.abort()
  await run
}
