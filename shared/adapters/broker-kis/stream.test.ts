import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { instrumentId } from '#shared/domain/instrument.ts'
import type { ConnectionOutcome, StreamMessage, StreamRequest } from '#shared/ports/broker-stream.ts'
import { memoryHotState } from '../memory/hot-state.ts'
import { systemClock } from '../system/clock.ts'
import { systemStopwatch } from '../system/stopwatch.ts'
import { ACCOUNT, type ScriptedKis, scriptedKis } from './scripted-kis.fixture.ts'
import { type ScriptedSocket, acknowledged, scriptedSocket } from './scripted-socket.fixture.ts'
import { type KisStreamOptions, kisStream } from './stream.ts'
import { keyNameOf } from './token.ts'

const NOTICE =
  'trader01^5012345601^0000012345^^02^0^00^0^000660^0000000004^000182300^101534^0^2^2^00950^000000010^HONG GILDONG^000000000^1^Y^^10^^SK hynix^000182300'
const TRADE =
  '0|H0STCNT0|001|000660^101530^182300^2^1300^0.72^1^1^1^1^182300^182200^15^1204567^1^1^1^1^1^1^1^1^1^1^1^1^1^1^1^1^1^1^1^20261120^20^N^1^1^1^1^1^1^1^0^^1'
const SYMBOLS = [instrumentId('000660.KRX'), instrumentId('005930.KRX')]

let kis: ScriptedKis
let socket: ScriptedSocket
const hotState = memoryHotState({ stopwatch: systemStopwatch })
const closing: AbortController[] = []
beforeEach(async () => {
  kis = await scriptedKis()
  socket = await scriptedSocket()
  kis.on(
    '/oauth2/Approval',
    { json: { approval_key: 'approval-1' } },
    { json: { approval_key: 'approval-2' } },
  )
})
afterEach(async () => {
  for (const each of closing.splice(0)) each.abort()
  await hotState.delete(`kis:approval:${keyNameOf(ACCOUNT)}`)
  await hotState.delete(`kis:approval:${keyNameOf(ACCOUNT)}:lease`)
  await socket.close()
  await kis.close()
})

const streamOf = (changes: Partial<KisStreamOptions> = {}) =>
  kisStream({
    settings: { ...kis.settings, websocketUrl: socket.url },
    account: ACCOUNT,
    hotState,
    clock: systemClock,
    stopwatch: systemStopwatch,
    ...changes,
  })

interface Running {
  readonly outcome: Promise<ConnectionOutcome>
  readonly messages: StreamMessage[]
  readonly live: Promise<void>
  readonly abort: () => void
}

function run(stream: ReturnType<typeof streamOf>, request: Partial<StreamRequest> = {}): Running {
  const messages: StreamMessage[] = []
  const live = Promise.withResolvers<void>()
  const closer = new AbortController()
  closing.push(closer)
  const outcome = stream.connect(
    {
      instrumentIds: SYMBOLS,
      withOrderBook: true,
      onLive: () => {
        live.resolve()
        return Promise.resolve()
      },
      onMessage: (message) => {
        messages.push(message)
        return Promise.resolve()
      },
      ...request,
    },
    closer.signal,
  )
  return { outcome, messages, live: live.promise, abort: () => closer.abort() }
}

describe('a connection', () => {
  test('registers notices first, then every instrument, and is live when all is answered', async () => {
    const { live, outcome, abort } = run(streamOf())
    await live
    expect(socket.commands.map(({ channel, key }) => `${channel} ${key}`)).toEqual([
      'H0STCNI0 trader01',
      'H0STCNT0 000660',
      'H0STASP0 000660',
      'H0STCNT0 005930',
      'H0STASP0 005930',
    ])
    expect(socket.commands[0]?.approval).toBe('approval-1')
    abort()
    expect(await outcome).toEqual({ kind: 'closed' })
  })

  test('pitfall 20: the paper server has a notice channel of its own', async () => {
    const settings = { ...kis.settings, websocketUrl: socket.url, paperTrading: true }
    await run(streamOf({ settings })).live
    expect(socket.commands[0]?.channel).toBe('H0STCNI9')
  })

  test('hands on frames as they came and notices as reports, in order, and counts the frames', async () => {
    const stream = streamOf()
    const { live, messages } = run(stream)
    await live
    const far = await socket.connection(0)
    far.send(TRADE)
    far.send(socket.encrypted('H0STCNI0', NOTICE))
    far.send(socket.encrypted('H0STCNI0', NOTICE.replace('5012345601', '5099999901')))
    far.send('garbage')
    far.send(socket.encrypted('H0STCNI0', 'too^short'))
    far.send('1|H0STCNI0|001|AAAA')
    await expect
      .poll(() => messages.map(({ kind }) => kind))
      .toEqual(['market', 'execution', 'unreadable', 'unreadable', 'unreadable'])
    expect(messages[0]).toEqual({
      kind: 'market',
      channel: 'H0STCNT0',
      instrumentId: SYMBOLS[0],
      frame: TRADE,
    })
    expect(messages[1]).toMatchObject({ report: { kind: 'fill', lastQuantity: 4n } })
    expect([stream.framesReceived(), stream.noticesIgnored()]).toEqual([5, 1])
  })

  test('pitfall 8: a notice that comes before everything is registered waits until the stream is live', async () => {
    const steps: string[] = []
    const usual = socket.answer
    socket.answer = (command) => {
      if (command.channel === 'H0STCNT0') {
        void socket.connection(0).then((far) => far.send(socket.encrypted('H0STCNI0', NOTICE)))
      }
      return usual(command)
    }
    const { live } = run(streamOf(), {
      onLive: () => {
        steps.push('live')
        return Promise.resolve()
      },
      onMessage: (message) => {
        steps.push(message.kind)
        return Promise.resolve()
      },
    })
    void live
    await expect.poll(() => steps).toEqual(['live', 'execution', 'execution'])
  })

  test('pitfall 4: a heartbeat is answered with its own text', async () => {
    const { live } = run(streamOf())
    await live
    const heartbeat = '{"header":{"tr_id":"PINGPONG","datetime":"20261122101530"}}'
    ;(await socket.connection(0)).send(heartbeat)
    await expect.poll(() => socket.pongs).toEqual([heartbeat])
  })

  test('pitfall 6: the newest key of a channel decrypts, and a reconnect forgets the old ones', async () => {
    const first = run(streamOf())
    await first.live
    const oldKeyFrame = socket.encrypted('H0STCNI0', NOTICE)
    ;(await socket.connection(0)).terminate()
    expect((await first.outcome).kind).toBe('dropped')
    const second = run(streamOf())
    await second.live
    const far = await socket.connection(1)
    far.send(oldKeyFrame)
    far.send(socket.encrypted('H0STCNI0', NOTICE))
    await expect.poll(() => second.messages.map(({ kind }) => kind)).toEqual(['unreadable', 'execution'])
  })

  test('pitfall 6: an acknowledgement in the middle of a session changes the key from then on', async () => {
    const { live, messages } = run(streamOf())
    await live
    const far = await socket.connection(0)
    far.send(socket.answer({ approval: '', kind: 'add', channel: 'H0STCNI0', key: 'trader01' }) ?? '')
    far.send(socket.encrypted('H0STCNI0', NOTICE))
    await expect.poll(() => messages.map(({ kind }) => kind)).toEqual(['execution'])
  })

  test('OPSP0002 gives no key, so the notice registration is taken back and made anew', async () => {
    let first = true
    const usual = socket.answer
    socket.answer = (command) => {
      if (command.channel !== 'H0STCNI0') return usual(command)
      if (command.kind === 'remove') return acknowledged(command, 'OPSP0001')
      const answer = first ? acknowledged(command, 'OPSP0002', undefined, '1') : usual(command)
      first = false
      return answer
    }
    await run(streamOf()).live
    expect(socket.commands.slice(0, 3).map(({ channel, kind }) => `${kind} ${channel}`)).toEqual([
      'add H0STCNI0',
      'remove H0STCNI0',
      'add H0STCNI0',
    ])
  })

  test('more than 41 registrations are refused before anybody is called', async () => {
    const many = Array.from({ length: 21 }, (_, index) =>
      instrumentId(`${String(index + 1).padStart(6, '0')}.KRX`),
    )
    const { outcome } = run(streamOf(), { instrumentIds: many })
    expect(await outcome).toEqual({
      kind: 'refused',
      reason: '43 registrations wanted, KIS allows 41 a session',
    })
    expect(kis.received).toHaveLength(0)
    const exactly = run(streamOf(), { instrumentIds: many.slice(0, 20) })
    await exactly.live
    expect(socket.commands).toHaveLength(41)
  })

  test('without an HTS ID there would be no notices: refused', async () => {
    const { htsId: _none, ...account } = ACCOUNT
    expect((await run(streamOf({ account })).outcome).kind).toBe('refused')
  })
})

describe('how a connection ends', () => {
  test.each([
    ['OPSP8996', 'busy'],
    ['OPSP0008', 'refused'],
    ['OPSP0010', 'refused'],
    ['OPSP8999', 'unreachable'],
    ['OPSP0007', 'unreachable'],
    ['OPSP9998', 'refused'],
  ])('pitfall 3: a registration answered with %s: %s', async (code, kind) => {
    socket.answer = (command) => acknowledged(command, code, undefined, '9')
    const outcome = await run(streamOf()).outcome
    expect(outcome.kind).toBe(kind)
    expect(JSON.stringify(outcome)).toContain(code)
  })

  test('a stale approval key is replaced at the next dial', async () => {
    const usual = socket.answer
    socket.answer = (command) =>
      command.approval === 'approval-1' ? acknowledged(command, 'OPSP0011', undefined, '1') : usual(command)
    const stream = streamOf()
    expect((await run(stream).outcome).kind).toBe('unreachable')
    await hotState.delete(`kis:approval:${keyNameOf(ACCOUNT)}:lease`)
    await run(stream).live
    expect(socket.commands.at(-1)?.approval).toBe('approval-2')
  })

  test('pitfall 5: a drop without a close frame is told with its uptime', async () => {
    const { live, outcome } = run(streamOf())
    await live
    ;(await socket.connection(0)).terminate()
    const end = await outcome
    expect(end).toMatchObject({ kind: 'dropped', reason: 'closed with code 1006' })
    expect(end.kind === 'dropped' && end.uptimeMs).toBeGreaterThanOrEqual(0)
  })

  test('a drop before it was live is "unreachable"', async () => {
    socket.answer = () => {
      void socket.connection(0).then((far) => far.terminate())
      return undefined
    }
    expect((await run(streamOf()).outcome).kind).toBe('unreachable')
  })

  test('nobody listening is "unreachable"', async () => {
    const settings = { ...kis.settings, websocketUrl: 'ws://127.0.0.1:1' }
    expect((await run(streamOf({ settings })).outcome).kind).toBe('unreachable')
  })

  test('a session in silence is given up', async () => {
    const { outcome } = run(streamOf({ silenceMs: 200 }))
    expect(await outcome).toMatchObject({ kind: 'dropped', reason: 'nothing heard for 200 ms' })
  })

  test('a session that is busy in the middle of its life ends as busy', async () => {
    const { live, outcome } = run(streamOf())
    await live
    ;(await socket.connection(0)).send(
      acknowledged({ channel: '(null)', key: '' }, 'OPSP8996', undefined, '9'),
    )
    expect((await outcome).kind).toBe('busy')
  })

  test('a consumer that fails ends the connection: a gap in the middle would be worse', async () => {
    const seen: string[] = []
    const { live, outcome } = run(streamOf(), {
      onMessage: (message) => {
        seen.push(message.kind)
        return Promise.reject(new Error('bus is down'))
      },
    })
    void live
    const far = await socket.connection(0)
    await expect.poll(() => socket.commands.length).toBe(5)
    far.send(TRADE)
    expect(await outcome).toMatchObject({
      kind: 'dropped',
      reason: 'a message could not be handed on: bus is down',
    })
    expect(seen).toEqual(['market'])
  })

  test('what was received is handed on and settled before the connection counts as ended', async () => {
    const gate = Promise.withResolvers<void>()
    let settled = 0
    const { outcome } = run(streamOf(), {
      onMessage: async () => {
        await gate.promise
        settled += 1
      },
    })
    const far = await socket.connection(0)
    await expect.poll(() => socket.commands.length).toBe(5)
    for (let index = 0; index < 10; index += 1) far.send(TRADE)
    far.close()
    let ended = false
    void outcome.then(() => (ended = true))
    await expect.poll(() => far.readyState).toBe(3)
    expect(ended).toBe(false)
    gate.resolve()
    await outcome
    expect(settled).toBe(10)
  })
})

describe('a consumer that is slow', () => {
  test('pitfall 12: nothing is lost and no more than the backlog is held, whatever comes in', async () => {
    const gate = Promise.withResolvers<void>()
    let started = 0
    const { messages } = run(streamOf({ backlogMax: 50 }), {
      onMessage: async () => {
        started += 1
        await gate.promise
      },
    })
    void messages
    const far = await socket.connection(0)
    await expect.poll(() => socket.commands.length).toBe(5)
    const total = 50_000
    for (let index = 0; index < total; index += 1) far.send(TRADE)
    await expect.poll(() => started).toBe(50)
    // The far side cannot get rid of its frames: the socket is not read.
    expect(far.bufferedAmount).toBeGreaterThan(0)
    expect(started).toBe(50)
    gate.resolve()
    await expect.poll(() => started, { timeout: 15_000 }).toBe(total)
  })
})
