// Against real servers: the contract on one that may be given by REDIS_URL, all that breaks on servers of our own.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { instrumentId } from '#shared/domain/instrument.ts'
import { instant } from '#shared/domain/time.ts'
import { price } from '#shared/domain/values.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { hotStateContract } from '#shared/ports/hot-state.contract.ts'
import { type RedisHotState, type RedisHotStateOptions, redisHotState } from './hot-state.ts'
import { freePort } from '../../../scripts/services/server-process.ts'
import { type TestRedis, type TestRedisOptions, testRedis } from './redis-server.fixture.ts'

const never = new AbortController().signal
const wait = (ms: number): Promise<void> => systemStopwatch.sleep(ms, never)

const closes: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).toReversed()) await close()
})

/** Between a client and its server; `loseAnswers` lets the next command reach the server, and no answer come back. */
async function lossyProxy(port: number): Promise<{ readonly port: number; loseAnswers(): void }> {
  let isLosing = false
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1')
    client.pipe(server)
    server.on('data', (answer) => {
      if (!isLosing) return client.write(answer)
      isLosing = false
      return client.destroy()
    })
    client.on('close', () => server.destroy())
    for (const socket of [client, server]) socket.on('error', () => undefined)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  closes.push(async () => void proxy.close())
  return { port: (proxy.address() as AddressInfo).port, loseAnswers: () => void (isLosing = true) }
}

let prefixes = 0
function stateOn(url: string, over: Partial<RedisHotStateOptions> = {}): RedisHotState {
  prefixes += 1
  const state = redisHotState({
    url,
    setting: 'REDIS_URL',
    connectionName: 'test',
    keyPrefix: `test-${process.pid}-${prefixes}:`,
    stopwatch: systemStopwatch,
    ...over,
  })
  closes.push(() => state.close())
  return state
}

async function serverOf(options?: TestRedisOptions): Promise<TestRedis> {
  const server = await testRedis(options)
  closes.push(() => server.close())
  return server
}

/** Resolves once the call succeeds; the call's own error when it does not within 5 s. */
async function soon<T>(call: () => Promise<T>): Promise<T> {
  const startMs = systemStopwatch.elapsedMs()
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (systemStopwatch.elapsedMs() - startMs > 5_000) throw error
      await wait(20)
    }
  }
}

describe('the contract', () => {
  let server: TestRedis | undefined
  let url = process.env['REDIS_URL'] ?? ''
  beforeAll(async () => {
    if (url !== '') return
    server = await testRedis()
    url = server.url
  })
  afterAll(async () => server?.close())

  hotStateContract('redisHotState', async () => ({
    state: stateOn(url),
    elapse: wait,
    nowMs: () => systemStopwatch.elapsedMs(),
    isRealTime: true,
  }))

  test('of many processes that claim and take at once, each claim has one winner and no rate is exceeded', async () => {
    const keyPrefix = `test-${process.pid}-shared:`
    const states = Array.from({ length: 8 }, () => stateOn(url, { keyPrefix }))
    const claims = await Promise.all(
      states.flatMap((state, index) => [1, 2].map((try_) => state.claim('one', `${index}-${try_}`, 60_000))),
    )
    expect(claims.filter(Boolean)).toHaveLength(1)
    const taken = await Promise.all(
      states.flatMap((state) => Array.from({ length: 10 }, () => state.take('rate', 18, 60_000))),
    )
    expect(taken.filter(({ allowed }) => allowed)).toHaveLength(18)
  })

  test('ten thousand prices are written and read back whole', async () => {
    const state = stateOn(url)
    const prices = Array.from({ length: 10_000 }, (_, index) => ({
      instrumentId: instrumentId(`${String(index).padStart(6, '0')}.KRX`),
      price: price(`${70_000 + index}.25`),
      eventTime: instant(1_756_339_200_000 + index),
    }))
    await state.putLastPrices(prices)
    expect(await state.lastPrices(prices.map((each) => each.instrumentId))).toEqual(prices)
    await expect(state.putLastPrices([])).resolves.toBeUndefined()
  })

  test('of one instrument twice in one call the newest stands', async () => {
    const state = stateOn(url)
    const at = (ms: number, text: string) => ({
      instrumentId: instrumentId('005930.KRX'),
      price: price(text),
      eventTime: instant(ms),
    })
    await state.putLastPrices([at(20, '71000'), at(10, '70000'), at(20, '71100')])
    expect(await state.lastPrices([instrumentId('005930.KRX')])).toEqual([at(20, '71100')])
  })

  test('fractions of a millisecond are rounded up, never to nothing', async () => {
    const state = stateOn(url)
    await state.set('a', '1', 0.2)
    expect((await state.take('rate', 1, 0.5)).allowed).toBe(true)
    await expect(state.take('rate', 1.5, 1_000)).rejects.toThrow(RangeError)
  })

  test('systems with different prefixes share a server and nothing else', async () => {
    const one = stateOn(url)
    await one.set('a', '1')
    expect(await stateOn(url).get('a')).toBeUndefined()
  })
})

describe('a server that fails', () => {
  test('killed: calls reject with the setting, at once after half a second, and work again by themselves', async () => {
    const server = await serverOf()
    const faults: string[] = []
    const state = stateOn(server.url, { onFault: (fault) => faults.push(fault) })
    await state.set('a', '1')
    await server.kill()
    await expect(state.get('a')).rejects.toThrow(RetryableError)
    await wait(600)

    const startMs = systemStopwatch.elapsedMs()
    const calls = Array.from({ length: 200 }, () => state.take('rate', 5, 1_000))
    const results = await Promise.allSettled(calls)
    expect(results.every(({ status }) => status === 'rejected')).toBe(true)
    expect(systemStopwatch.elapsedMs() - startMs).toBeLessThan(100)
    await expect(state.get('a')).rejects.toThrow(/Redis at REDIS_URL: nobody listens there/)
    expect(state.notReady()).toEqual([expect.stringContaining('REDIS_URL')])

    await server.start()
    expect(await soon(() => state.get('a'))).toBeUndefined() // nothing was kept, and that is legal
    expect(state.notReady()).toEqual([])
    expect(faults).toEqual([expect.stringContaining('ECONNREFUSED')])
  })

  test('a break shorter than half a second is waited for: no caller notices', async () => {
    const server = await serverOf()
    const state = stateOn(server.url)
    await state.set('a', '1')
    server.cli('CLIENT', 'KILL', 'TYPE', 'normal')
    await wait(5)
    expect(await state.get('a')).toBe('1')
  })

  test('frozen: what is under way rejects within its deadline, later calls do not hang, and it recovers', async () => {
    const server = await serverOf()
    const state = stateOn(server.url)
    await state.set('a', '1')
    server.freeze()
    const startMs = systemStopwatch.elapsedMs()
    await expect(state.get('a')).rejects.toThrow(/Redis at REDIS_URL: it does not answer/)
    expect(systemStopwatch.elapsedMs() - startMs).toBeLessThan(1_500)
    server.thaw()
    expect(await soon(() => state.get('a'))).toBe('1')
  })

  test('restarted: its scripts are gone, and nobody notices', async () => {
    const server = await serverOf()
    const state = stateOn(server.url)
    expect((await state.take('rate', 1, 60_000)).allowed).toBe(true)
    await server.kill()
    await server.start()
    expect((await soon(() => state.take('rate', 1, 60_000))).allowed).toBe(true)
    expect((await state.take('rate', 1, 60_000)).allowed).toBe(false)
  })

  test('flushed, data and scripts: everything is absent and everything works', async () => {
    const server = await serverOf()
    const state = stateOn(server.url)
    await state.claim('lease', 'mine', 60_000)
    await state.extend('lease', 'mine', 60_000)
    server.cli('FLUSHALL')
    server.cli('SCRIPT', 'FLUSH')
    expect(await state.extend('lease', 'mine', 60_000)).toBe(false)
    expect(await state.release('lease', 'mine')).toBe(false)
    expect(await state.claim('lease', 'other', 60_000)).toBe(true)
    expect(await state.lastPrices([instrumentId('005930.KRX')])).toEqual([undefined])
  })

  test('nothing is sent twice: an answer that was lost with its connection is not asked for again', async () => {
    const server = await serverOf()
    const proxy = await lossyProxy(server.port)
    const state = stateOn(`redis://127.0.0.1:${proxy.port}`, { keyPrefix: 'twice:' })
    await state.take('rate', 9, 60_000)
    proxy.loseAnswers()
    await expect(state.take('rate', 9, 60_000)).rejects.toThrow('REDIS_URL: the connection is lost')
    await soon(() => state.get('a'))
    expect(Number(server.cli('LLEN', 'twice:window/rate'))).toBe(2)
  })

  test('failed over: a primary that became read only is left, and the new primary is used', async () => {
    const server = await serverOf()
    const state = stateOn(server.url)
    await state.set('a', '1')
    const primary = await serverOf()
    server.cli('REPLICAOF', '127.0.0.1', String(primary.port))
    await expect(state.set('a', '2')).rejects.toThrow(/READONLY/)
    server.cli('REPLICAOF', 'NO', 'ONE') // the address leads to a primary again
    await soon(() => state.set('a', '3'))
    expect(await state.get('a')).toBe('3')
  })

  test('out of memory: writes reject, reads go on', async () => {
    const server = await serverOf({ args: ['--maxmemory-policy', 'noeviction'] })
    const state = stateOn(server.url)
    await state.set('a', '1')
    server.cli('CONFIG', 'SET', 'maxmemory', '1')
    await expect(state.set('a', '2')).rejects.toThrow(RetryableError)
    await expect(state.take('rate', 1, 1_000)).rejects.toThrow(RetryableError)
    expect(await state.get('a')).toBe('1')
  })

  test('a clock that was set back neither stops a rate for long nor opens it', async () => {
    const server = await serverOf()
    const state = stateOn(server.url, { keyPrefix: 'clock:' })
    const hourAheadUs = (Date.parse('2100-01-01T00:00:00Z') * 1_000).toFixed(0)
    server.cli('RPUSH', 'clock:window/rate', hourAheadUs, hourAheadUs)
    const { allowed, retryAfterMs } = await state.take('rate', 2, 200)
    expect(allowed).toBe(false)
    expect(retryAfterMs).toBeLessThanOrEqual(200)
    await wait(Math.ceil(retryAfterMs))
    expect((await state.take('rate', 2, 200)).allowed).toBe(true)
  })

  test('a key of another kind is a defect, not something to try again', async () => {
    const server = await serverOf()
    const state = stateOn(server.url, { keyPrefix: 'kind:' })
    server.cli('LPUSH', 'kind:key/a', 'x')
    const error: unknown = await state.get('a').catch((reason: unknown) => reason)
    expect(error).not.toBeInstanceOf(RetryableError)
    expect(String(error)).toContain('WRONGTYPE')
  })
})

describe('a wrong setting', () => {
  const saying = async (url: string, over: Partial<RedisHotStateOptions> = {}): Promise<string> => {
    const state = stateOn(url, over)
    await wait(300)
    const error: unknown = await state.get('a').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(RetryableError)
    return String(error)
  }

  test('nobody listens', async () => {
    expect(await saying(`redis://127.0.0.1:${await freePort()}`)).toContain('REDIS_URL: nobody listens there')
  })

  test('no such host', async () => {
    expect(await saying('redis://no-such-host.invalid')).toMatch(
      /REDIS_URL: (its host is not known|not connected)/,
    )
  })

  test('no password, a wrong one, and the right one', async () => {
    const { port } = await serverOf({ args: ['--requirepass', 'p@ss/wörd'] })
    expect(await saying(`redis://127.0.0.1:${port}`)).toContain('REDIS_URL: the server wants a password')
    const wrong = await saying(`redis://default:hunter2@127.0.0.1:${port}`)
    expect(wrong).toContain('REDIS_URL: the server refuses its user or password')
    expect(wrong).not.toContain('hunter2')
    const password = encodeURIComponent('p@ss/wörd')
    for (const user of ['', 'default']) {
      await expect(stateOn(`redis://${user}:${password}@127.0.0.1:${port}/3`).set('a', '1')).resolves.toBe(
        undefined,
      )
    }
  })

  test('TLS: with the certificate of who signed it works, without it the error says what to set', async () => {
    const { url, port, ca = '' } = await serverOf({ tls: 'valid' })
    const state = stateOn(url, { ca })
    await state.set('a', '삼성전자')
    expect(await state.get('a')).toBe('삼성전자')
    expect(await saying(url)).toContain('JTS_REDIS_CA_FILE')
    expect(await saying(`rediss://localhost:${port}`, { ca })).toContain('is for another host')
    expect(await saying(`redis://127.0.0.1:${port}`)).toContain(
      'REDIS_URL: the server hangs up: does it want TLS',
    )
  })

  test('TLS: an expired certificate is called that', async () => {
    const { url, ca = '' } = await serverOf({ tls: 'expired' })
    expect(await saying(url, { ca })).toContain("REDIS_URL: the server's certificate has expired")
  })

  test('TLS asked of a server that has none', async () => {
    const state = stateOn(`rediss://127.0.0.1:${(await serverOf()).port}`)
    await wait(3_100)
    await expect(state.get('a')).rejects.toThrow(/REDIS_URL: no answer comes .* redis:\/\/ or rediss:\/\//)
  })

  test.each(['http://127.0.0.1', 'redis://127.0.0.1/name', 'nonsense', ''])('%j is no address', (url) => {
    expect(() => stateOn(url)).toThrow(/REDIS_URL must be redis/)
  })
})

test('a closed state says so, and lets what is under way end', async () => {
  const server = await serverOf()
  const state = stateOn(server.url)
  await state.set('a', '0')
  const written = state.set('a', '1')
  await state.close()
  await expect(written).resolves.toBeUndefined()
  await expect(state.get('a')).rejects.toThrow(/closed/)
})
