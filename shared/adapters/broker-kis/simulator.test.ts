// The contracts of both ports, against the adapter and the simulator behind real sockets, as real and as paper account.
import { type Instant, addMs, instant, kstDate, kstInstant, timeOfDay } from '#shared/domain/time.ts'
import type { ApprovedOrder } from '#shared/domain/order.ts'
import { quantity } from '#shared/domain/values.ts'
import { brokerGatewayContract } from '#shared/ports/broker-gateway.contract.ts'
import { brokerStreamContract } from '#shared/ports/broker-stream.contract.ts'
import { type Simulator, startSimulator } from '../../../apps/kis-simulator/simulator.ts'
import { type HistoricalClock, historicalClock } from '../memory/historical-clock.ts'
import { memoryHotState } from '../memory/hot-state.ts'
import { systemRandomBytes } from '../system/ids.ts'
import { systemStopwatch } from '../system/stopwatch.ts'
import type { KisAccount } from './accounts.ts'
import { kisGateway } from './gateway.ts'
import { kisStream } from './stream.ts'

const ACCOUNT: KisAccount = {
  accountId: 'kis:5012345601',
  appKey: 'PS-simulated-key',
  appSecret: 'simulated-secret',
  number: '50123456',
  product: '01',
  htsId: 'trader01',
}
const ADVANCE_MS = 180_000

interface World {
  readonly simulator: Simulator
  readonly clock: HistoricalClock
  /** Plays the tape up to a time. */
  readonly playTo: (at: Instant) => Promise<void>
}

async function world(profile: 'real' | 'paper'): Promise<World> {
  let clock: HistoricalClock | undefined
  let target = instant(0)
  let stop = new AbortController()
  const simulator = await startSimulator({
    profile,
    accounts: [
      {
        appKey: ACCOUNT.appKey,
        appSecret: ACCOUNT.appSecret,
        accountNumber: '5012345601',
        htsId: 'trader01',
      },
    ],
    market: { kind: 'seeded', seed: 7, eventsPerSecond: 2 },
    speed: 'max',
    ratePerSecond: 10_000,
    feeRatio: '0.00015',
    stopwatch: systemStopwatch,
    randomBytes: systemRandomBytes,
    tokenIntervalMs: 0,
    onTime: (at) => {
      if (clock !== undefined && at > clock.now()) clock.advanceTo(at)
      if (at >= target) stop.abort()
    },
  })
  clock = historicalClock(simulator.startsAt)
  return {
    simulator,
    clock,
    async playTo(at) {
      target = at
      stop = new AbortController()
      await simulator.run(stop.signal)
    },
  }
}

const settingsOf = (simulator: Simulator, profile: 'real' | 'paper') => ({
  paperTrading: profile === 'paper',
  apiBaseUrl: simulator.restUrl,
  websocketUrl: simulator.webSocketUrl,
  ratePerSecond: 10_000,
})

/** 09:10 of the first session. */
const openingOf = (simulator: Simulator): Instant =>
  kstInstant(kstDate(simulator.startsAt), timeOfDay('09:10'))

for (const profile of ['real', 'paper'] as const) {
  const open = async () => {
    const { simulator, clock, playTo } = await world(profile)
    await playTo(openingOf(simulator))
    const hotState = memoryHotState({ stopwatch: systemStopwatch })
    const common = { settings: settingsOf(simulator, profile), hotState, clock, stopwatch: systemStopwatch }
    const gateway = kisGateway({ ...common, accounts: [ACCOUNT] })
    const instrumentId = simulator.instruments[0]?.id
    if (instrumentId === undefined) throw new Error('the simulator lists nothing')
    return {
      simulator,
      clock,
      common,
      gateway,
      instrumentId,
      advance: () => playTo(addMs(clock.now(), ADVANCE_MS)),
      close: async () => {
        await gateway.close()
        await simulator.stop()
      },
    }
  }

  brokerGatewayContract(`kisGateway against the ${profile} simulator`, async () => {
    const { simulator, clock, gateway, instrumentId, advance, close } = await open()
    const shots = {
      silenceBeforeEffect: 'silenceBeforeEffect',
      silenceAfterEffect: 'silenceAfterEffect',
      brokerTimeoutAfterEffect: 'gatewayTimeoutAfterEffect',
    } as const
    return {
      gateway,
      accountId: ACCOUNT.accountId,
      instrumentId,
      now: () => clock.now(),
      advance,
      ordersAtBroker: () => simulator.report().brokerOrders,
      loadFault: (fault) => simulator.faults.load(shots[fault]),
      patienceMs: 1_000,
      close,
    }
  })

  brokerStreamContract(`kisStream against the ${profile} simulator`, async () => {
    const { simulator, common, gateway, instrumentId, advance, close, clock } = await open()
    return {
      stream: kisStream({ ...common, account: ACCOUNT }),
      nowhere: kisStream({
        ...common,
        settings: { ...common.settings, websocketUrl: 'ws://127.0.0.1:1' },
        account: ACCOUNT,
      }),
      accountId: ACCOUNT.accountId,
      instrumentIds: simulator.instruments.slice(0, 5).map(({ id }) => id),
      advance,
      framesSent: () => simulator.framesSent(),
      drop: () => void simulator.dropSockets(),
      async buyTen() {
        const signal = AbortSignal.timeout(5_000)
        const { upperLimit } = await gateway.quote(instrumentId, signal)
        const order = {
          accountId: ACCOUNT.accountId,
          clientOrderId: 'stream-contract',
          requestedBy: 'operator:contract',
          instrumentId,
          side: 'buy',
          orderType: 'limit',
          timeInForce: 'day',
          quantity: quantity('10'),
          limitPrice: upperLimit,
          decidedTime: clock.now(),
          limitsVersion: 'contract',
        } as unknown as ApprovedOrder
        const sent = await gateway.submit(order, signal)
        if (sent.outcome !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(sent)}`)
        return sent.brokerOrderId
      },
      close,
    }
  })
}
