import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addMs, parseInstant } from '#shared/domain/time.ts'
import { BrokerRefusedError } from '#shared/ports/broker-gateway.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import { historicalClock } from '../memory/historical-clock.ts'
import { memoryHotState } from '../memory/hot-state.ts'
import { systemStopwatch } from '../system/stopwatch.ts'
import { httpClient } from './http.ts'
import { ACCOUNT, type ScriptedKis, TOKEN_ANSWER, scriptedKis } from './scripted-kis.fixture.ts'
import { accessToken, approvalKey, keyNameOf } from './token.ts'

let kis: ScriptedKis
let http: ReturnType<typeof httpClient>
beforeEach(async () => {
  kis = await scriptedKis()
  http = httpClient(kis.settings.apiBaseUrl)
})
afterEach(async () => {
  http.close()
  await kis.close()
})

const START = parseInstant('2026-11-20T08:00:00+09:00')
const soon = (): AbortSignal => AbortSignal.timeout(5_000)
const ISSUED = (): number => kis.calls('/oauth2/tokenP').length

function setUp(hotState: HotState = memoryHotState({ stopwatch: systemStopwatch })) {
  const clock = historicalClock(START)
  const process = () => accessToken({ account: ACCOUNT, http, hotState, clock, stopwatch: systemStopwatch })
  return { clock, hotState, process }
}
const LEASE = `kis:token:${keyNameOf(ACCOUNT)}:lease`

describe('the access token', () => {
  test('pitfall 1: twenty callers in five processes make one request', async () => {
    const { process } = setUp()
    const processes = Array.from({ length: 5 }, process)
    const callers = [...processes, ...processes, ...processes, ...processes]
    const tokens = await Promise.all(callers.map((caller) => caller.current(soon())))
    expect(new Set(tokens)).toEqual(new Set(['token-1']))
    expect(ISSUED()).toBe(1)
  })

  test('a process that starts later uses what is there', async () => {
    const { process } = setUp()
    await process().current(soon())
    expect(await process().current(soon())).toBe('token-1')
    expect(ISSUED()).toBe(1)
  })

  test('pitfall 2: it is renewed ahead of its end, while the old one still serves', async () => {
    kis.on('/oauth2/tokenP', TOKEN_ANSWER('token-1'), TOKEN_ANSWER('token-2'))
    const { clock, hotState, process } = setUp()
    const token = process()
    await token.current(soon())
    await hotState.delete(LEASE)
    clock.advanceTo(addMs(START, 23 * 3_600_000 + 31 * 60_000))
    expect(await token.current(soon())).toBe('token-1')
    await expect.poll(() => token.current(soon())).toBe('token-2')
  })

  test('one that has ended is never sent', async () => {
    kis.on('/oauth2/tokenP', TOKEN_ANSWER('token-1'), TOKEN_ANSWER('token-2'))
    const { clock, hotState, process } = setUp()
    const token = process()
    await token.current(soon())
    await hotState.delete(LEASE)
    clock.advanceTo(addMs(START, 24 * 3_600_000))
    expect(await token.current(soon())).toBe('token-2')
  })

  test('a refused one is replaced by what another process has stored, without a request', async () => {
    kis.on('/oauth2/tokenP', TOKEN_ANSWER('token-1'), TOKEN_ANSWER('token-2'))
    const { hotState, process } = setUp()
    const [first, second] = [process(), process()]
    await first.current(soon())
    await second.current(soon())
    await hotState.delete(LEASE)
    expect(await first.renew('token-1', soon())).toBe('token-2')
    expect(await second.renew('token-1', soon())).toBe('token-2')
    expect(ISSUED()).toBe(2)
  })

  test('within the minute of an issue nobody asks again: the caller gives up at its deadline instead', async () => {
    const { process } = setUp()
    const token = process()
    await token.current(soon())
    await expect(token.renew('token-1', AbortSignal.timeout(150))).rejects.toThrow('timeout')
    expect(ISSUED()).toBe(1)
  })

  test('with the shared state gone each process asks for itself, and goes on with what it has', async () => {
    const gone = (): Promise<never> => Promise.reject(new RetryableError('gone'))
    const { process } = setUp({ get: gone, set: gone, claim: gone } as unknown as HotState)
    const token = process()
    expect(await token.current(soon())).toBe('token-1')
    expect(await token.current(soon())).toBe('token-1')
    expect(ISSUED()).toBe(1)
  })

  test('what is stored is checked like anything else that comes from outside', async () => {
    const { hotState, process } = setUp()
    await hotState.set(`kis:token:${keyNameOf(ACCOUNT)}`, '{"text":"bad token\\r\\nx: y","endsAt":9e15}')
    expect(await process().current(soon())).toBe('token-1')
  })

  test.each([
    [
      'one a minute',
      { json: { error_code: 'EGW00133', error_description: '' }, status: 403 },
      RetryableError,
    ],
    [
      'a wrong secret',
      { json: { error_code: 'EGW00105', error_description: '' }, status: 403 },
      BrokerRefusedError,
    ],
    ['a maintenance page', { raw: '<html/>', status: 503 }, RetryableError],
    ['a token with a line break', TOKEN_ANSWER('a\r\nb'), RetryableError],
    ['no answer', 'reset', RetryableError],
  ] as const)('%s is a fault that tells no secret', async (_name, answer, kind) => {
    kis.on('/oauth2/tokenP', answer)
    const fault: unknown = await setUp()
      .process()
      .current(soon())
      .catch((error: unknown) => error)
    expect(fault).toBeInstanceOf(kind)
    expect(String(fault)).not.toMatch(/secret-1|PSkey-1|token-1/)
  })

  test('the body names the key and the secret as KIS wants them, for the approval key under another name', async () => {
    kis.on('/oauth2/Approval', { json: { approval_key: 'approval-1' } })
    const { clock, hotState, process } = setUp()
    await process().current(soon())
    const approval = approvalKey({ account: ACCOUNT, http, hotState, clock, stopwatch: systemStopwatch })
    expect(await approval.current(soon())).toBe('approval-1')
    expect(kis.received.map(({ body }) => body)).toEqual([
      { grant_type: 'client_credentials', appkey: 'PSkey-1', appsecret: 'secret-1' },
      { grant_type: 'client_credentials', appkey: 'PSkey-1', secretkey: 'secret-1' },
    ])
  })
})
