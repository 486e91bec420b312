import { createHash } from 'node:crypto'
import { WebSocket } from 'ws'
import { afterEach, describe, expect, test } from 'vitest'
import type { Simulator, SimulatorOptions } from '../simulator.ts'
import {
  type StreamClient,
  TRADER,
  approvalKey,
  call,
  connect,
  handStopwatch,
  listen,
  post,
  startTestSimulator,
} from '../test-client.ts'

let simulator: Simulator | undefined
const clients: StreamClient[] = []

async function start(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  simulator = await startTestSimulator(options)
  return simulator
}

async function join(running: Simulator, key?: string): Promise<StreamClient> {
  const client = await listen(running, key)
  clients.push(client)
  return client
}

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.terminate()
  await simulator?.stop()
  simulator = undefined
})

const codeOf = (ack: { readonly body: { readonly msg_cd: string } }): string => ack.body.msg_cd

describe('registration', () => {
  test('is acknowledged with a key and iv of its own, each time', async () => {
    const client = await join(await start())
    const first = await client.subscribe('H0STCNT0', '005930')
    const second = await client.subscribe('H0STCNI9', 'trader01')
    expect(first).toMatchObject({
      header: { tr_id: 'H0STCNT0', tr_key: '005930', encrypt: 'N' },
      body: { rt_cd: '0', msg_cd: 'OPSP0000', msg1: 'SUBSCRIBE SUCCESS' },
    })
    expect(first.body.output?.key).toHaveLength(32)
    expect(first.body.output?.iv).toHaveLength(16)
    expect(second.body.output?.key).not.toBe(first.body.output?.key)
  })

  test('twice is refused without a key, undone twice as well', async () => {
    const client = await join(await start())
    await client.subscribe('H0STCNT0', '005930')
    const again = await client.subscribe('H0STCNT0', '005930')
    expect(again.body).toEqual({ rt_cd: '1', msg_cd: 'OPSP0002', msg1: 'ALREADY IN SUBSCRIBE' })
    expect(codeOf(await client.subscribe('H0STCNT0', '005930', '2'))).toBe('OPSP0001')
    expect(codeOf(await client.subscribe('H0STCNT0', '005930', '2'))).toBe('OPSP0003')
  })

  test('stops at forty-one, all channels together', async () => {
    const client = await join(await start())
    for (let count = 0; count < 41; count += 1) {
      const channel = count % 2 === 0 ? 'H0STCNT0' : 'H0STASP0'
      expect(codeOf(await client.subscribe(channel, String(100_000 + count)))).toBe('OPSP0000')
    }
    const over = await client.subscribe('H0STCNT0', '005930')
    expect(over.body).toMatchObject({ rt_cd: '9', msg_cd: 'OPSP0008' })
  })

  test.each([
    ['an unknown channel', 'H0STXXX0', '005930', '1', 'OPSP8991'],
    ['the notice channel of the real host', 'H0STCNI0', 'trader01', '1', 'OPSP8991'],
    ['a key that is no code', 'H0STCNT0', 'samsung electronics', '1', 'OPSP8992'],
    ['a type that is none', 'H0STCNT0', '005930', '0', 'OPSP8997'],
  ])('of %s is refused', async (_name, trId, trKey, type, code) => {
    const client = await join(await start())
    expect(codeOf(await client.subscribe(trId, trKey, type))).toBe(code)
  })

  test('without an approval key is refused, and text that is no JSON as well', async () => {
    const client = await join(await start(), 'made-up')
    expect(codeOf(await client.subscribe('H0STCNT0', '005930'))).toBe('OPSP0011')
    client.socket.send('hello')
    const answer = await client.next((text) => text.includes('OPSP9999'))
    expect(JSON.parse(answer)).toMatchObject({ header: { tr_id: '(null)' } })
  })

  test('for an unknown HTS id ends the socket without a close frame', async () => {
    const client = await join(await start())
    void client.subscribe('H0STCNI9', 'stranger')
    expect(await client.closed).toBe(1006)
  })
})

describe('a session', () => {
  test('is the only one of its app key, and its slot lingers after it ended', async () => {
    const stopwatch = handStopwatch()
    const running = await start({ lingerMs: 30_000, stopwatch })
    const key = await approvalKey(running)
    const first = await join(running, key)
    await first.subscribe('H0STCNT0', '005930')
    const second = await join(running, key)
    expect((await second.subscribe('H0STCNT0', '005930')).body).toMatchObject({
      rt_cd: '9',
      msg_cd: 'OPSP8996',
    })
    first.socket.close()
    await first.closed
    stopwatch.add(29_000)
    expect(codeOf(await second.subscribe('H0STCNT0', '005930'))).toBe('OPSP8996')
    stopwatch.add(2000)
    expect(codeOf(await second.subscribe('H0STCNT0', '005930'))).toBe('OPSP0000')
  })

  test('that answers PINGPONG as text or as pong lives, one that answers nothing is cut', async () => {
    const other = {
      ...TRADER,
      appKey: 'other'.padEnd(36, 'o'),
      accountNumber: '5099999901',
      htsId: 'trader02',
    }
    const running = await start({ pingIntervalMs: 20, accounts: [TRADER, other] })
    const silent = await join(running)
    const talking = await join(running)
    talking.socket.on('message', (data: Buffer) => talking.socket.pong(data))
    const cut = await silent.closed
    expect(cut).toBe(1006)
    expect(talking.socket.readyState).toBe(WebSocket.OPEN)
    const ping = JSON.parse(await talking.next((text) => text.includes('PINGPONG'))) as Record<
      string,
      Record<string, string>
    >
    expect(ping['header']?.['datetime']).toMatch(/^\d{14}$/)
    expect(ping['body']).toBeUndefined()
  })

  test('can be dropped on demand without a close frame', async () => {
    const running = await start()
    const client = await join(running)
    await client.subscribe('H0STCNT0', '005930')
    await call(`${running.restUrl}/simulator/sockets/drop`, { method: 'POST' })
    expect(await client.closed).toBe(1006)
  })
})

describe('data frames', () => {
  test.each([
    [46, 59],
    [47, 62],
    [47, 63],
  ] as const)('have %i and %i fields a record when told so', async (trade, book) => {
    const running = await start({ widths: { trade, book } })
    const client = await join(running)
    await client.subscribe('H0STCNT0', '005930')
    await client.subscribe('H0STASP0', '005930')
    const ending = new AbortController()
    const run = running.run(ending.signal)
    const [, , count = '', payload = ''] = (await client.next((text) => text.startsWith('0|H0STCNT0'))).split(
      '|',
    )
    const [, , , depth = ''] = (await client.next((text) => text.startsWith('0|H0STASP0'))).split('|')
    ending.abort()
    await run
    expect(payload.split('^')).toHaveLength(trade * Number(count))
    expect(depth.split('^')).toHaveLength(book)
  })

  test('step volume and value by size and price, and keep price, change and rate in agreement', async () => {
    const running = await start()
    const client = await join(running)
    await client.subscribe('H0STCNT0', '005930')
    const ending = new AbortController()
    const run = running.run(ending.signal)
    await expect.poll(() => client.texts.length).toBeGreaterThan(500)
    ending.abort()
    await run
    let volume = 0
    let value = 0
    for (const text of client.texts.filter((each) => each.startsWith('0|H0STCNT0'))) {
      const [, , count = '0', payload = ''] = text.split('|')
      const fields = payload.split('^')
      const width = fields.length / Number(count)
      for (let record = 0; record < Number(count); record += 1) {
        const at = (index: number): number => Number(fields[record * width + index])
        volume += at(12)
        value += at(12) * at(2)
        expect(at(13)).toBe(volume)
        expect(at(14)).toBe(value)
        expect(at(5)).toBe(Number(((at(4) / (at(2) - at(4))) * 100).toFixed(2)))
        expect(at(8)).toBeGreaterThanOrEqual(at(2))
        expect(at(9)).toBeLessThanOrEqual(at(2))
      }
    }
    expect(volume).toBeGreaterThan(0)
  })

  test('are counted only when they were handed to a socket', async () => {
    const running = await start()
    const client = await join(running)
    await client.subscribe('H0STCNT0', '005930')
    const ending = new AbortController()
    const run = running.run(ending.signal)
    await client.next((text) => text.startsWith('0|'))
    ending.abort()
    await run
    const sent = running.framesSent()
    await expect.poll(() => client.texts.filter((text) => text.startsWith('0|')).length).toBe(sent)
    client.socket.close()
    await client.closed
    await running.run(AbortSignal.timeout(20))
    expect(running.framesSent()).toBe(sent)
  })

  test('of the same seed are the same, byte for byte', async () => {
    const hashes: string[] = []
    for (let round = 0; round < 2; round += 1) {
      const running = await start({ market: { kind: 'seeded', seed: 11, eventsPerSecond: 1 } })
      const client = await join(running)
      await client.subscribe('H0STCNT0', '000660')
      await client.subscribe('H0STASP0', '000660')
      const ending = new AbortController()
      const run = running.run(ending.signal)
      const wanted = 400
      await expect.poll(() => client.texts.length, { timeout: 10_000 }).toBeGreaterThan(wanted + 2)
      ending.abort()
      await run
      const frames = client.texts.filter((text) => text.startsWith('0|')).slice(0, wanted)
      hashes.push(createHash('sha256').update(frames.join('\n')).digest('hex'))
      await running.stop()
    }
    expect(hashes[0]).toBe(hashes[1])
  })
})

describe('notices', () => {
  async function trading(options: Partial<SimulatorOptions> = {}) {
    const running = await start(options)
    const client = await connect(running)
    const stream = await join(running)
    await stream.subscribe('H0STCNI9', 'trader01')
    return { running, client, stream }
  }

  test('tell of acceptance with the order price, and of a fill with its own', async () => {
    const { running, client, stream } = await trading()
    await client.order('buy', '005930', 10, 90_000)
    const accepted = await stream.notice()
    expect(accepted).toHaveLength(26)
    expect(accepted.slice(0, 18).join('^')).toBe(
      'trader01^5012345601^0000000001^^02^0^00^0^005930^0000000010^' +
        '000090000^083000^0^1^1^00950^000000010^HONG GILDONG',
    )
    const ending = new AbortController()
    const run = running.run(ending.signal)
    const filled = await stream.notice()
    ending.abort()
    await run
    expect([filled[9], filled[11], filled[12], filled[13], filled[14], filled[25]]).toEqual([
      '0000000010',
      '090000',
      '0',
      '2',
      '2',
      '000090000',
    ])
    expect(Number(filled[10])).toBeLessThan(90_000)
  })

  test('of a cancel come received, then confirmed, with both order numbers', async () => {
    const { client, stream } = await trading()
    await client.order('buy', '005930', 10, 60_000)
    await client.change('0000000001', '02')
    await stream.notice()
    const [received, confirmed] = [await stream.notice(), await stream.notice()]
    expect([received[2], received[3], received[5], received[13], received[14]]).toEqual([
      '0000000002',
      '0000000001',
      '2',
      '1',
      '1',
    ])
    expect([confirmed[5], confirmed[9], confirmed[14]]).toEqual(['2', '0000000010', '2'])
  })

  test('are twenty-three fields wide when told so, with the name before the credit class', async () => {
    const { client, stream } = await trading({ widths: { notice: 23 } })
    await client.order('buy', '005930', 10, 60_000)
    const notice = await stream.notice()
    expect(notice).toHaveLength(23)
    expect(notice.slice(17)).toEqual(['HONG GILDONG', '삼성전자', '10', '', '삼성전자', ''])
  })

  test('of the venue refusing an order carry the refusal', async () => {
    const running = await start({ profile: 'real' })
    const client = await connect(running)
    const stream = await join(running)
    await stream.subscribe('H0STCNI0', 'trader01')
    const body = {
      CANO: '50123456',
      ACNT_PRDT_CD: '01',
      PDNO: '005930',
      ORD_DVSN: '00',
      ORD_QTY: '1',
      ORD_UNPR: '71550',
    }
    await client.post('trading/order-cash', 'TTTC0012U', body)
    const [accepted, rejected] = [await stream.notice(), await stream.notice()]
    expect([accepted[12], rejected[12], rejected[13]]).toEqual(['0', '1', '1'])
  })

  test('overtake the answer when told so', async () => {
    const { client, stream } = await trading({ faults: { noticeLeadMs: 200 } })
    const happened: string[] = []
    const answered = client.order('buy', '005930', 1, 71_500).then(() => happened.push('answer'))
    await stream.notice()
    happened.push('notice')
    await answered
    expect(happened).toEqual(['notice', 'answer'])
  })

  test('come twice, in reverse or not at all on demand', async () => {
    const { running, client, stream } = await trading({ faults: { duplicateNotices: true } })
    await client.order('buy', '005930', 1, 60_000)
    expect(await stream.notice()).toEqual(await stream.notice())
    await post(`${running.restUrl}/simulator/faults`, { duplicateNotices: false, reverseNotices: true })
    await client.change('0000000001', '02')
    expect([(await stream.notice())[14], (await stream.notice())[14]]).toEqual(['2', '1'])
    await post(`${running.restUrl}/simulator/faults`, { withholdNotices: true })
    const sent = running.framesSent()
    await client.order('buy', '005930', 1, 60_000)
    expect(running.framesSent()).toBe(sent)
  })
})
