import { afterEach, describe, expect, test } from 'vitest'
import { kstInstant, sessionDate, timeOfDay } from '#shared/domain/time.ts'
import { formatMoney, money, price } from '#shared/domain/values.ts'
import { BrokerRefusedError } from '#shared/ports/broker-gateway.ts'
import { ACCOUNT, DATE, HYNIX, SAMSUNG, samsung } from '../../test/build.ts'
import {
  type Path,
  type PathOptions,
  type Replica,
  namesOf,
  onlyOf,
  openOrderPath,
  run,
} from '../../test/order-path.ts'
import { balanceOf } from '../../test/scripted-broker.ts'

let path: Path
afterEach(() => path.close())

const open = async (options: PathOptions = {}): Promise<Replica> => {
  path = await openOrderPath(options)
  return path.replica()
}
const at = (time: string, date = DATE) => kstInstant(date, timeOfDay(time))
const passTo = (time: string, date = DATE) => path.clock.advanceTo(at(time, date))

describe('an account that is new to us', () => {
  const positions = [{ id: SAMSUNG, units: '10', at: '60000' }]

  test('is adopted as the broker states it, compared, and made active only where that is wanted', async () => {
    for (const startsActive of [false, true]) {
      const replica = await open({ isReady: false, startsActive })
      await path.instruments.put([samsung])
      path.broker.setBalance(balanceOf('1000000', positions))
      const told = await run(replica, path.connected())
      expect(onlyOf(told, 'account.reconciled').data).toMatchObject({ agrees: true, differences: [] })
      const { tradingState, cash, openingEquity } = await path.snapshot()
      expect(tradingState).toBe(startsActive ? 'active' : 'halted')
      expect(cash).toBe(money('1000000'))
      expect(openingEquity).toBe(money('1700000')) // at the base price of the day
      expect(namesOf(told).includes('trading-state.changed')).toBe(startsActive)
      if (startsActive) continue
      await path.close()
    }
  })

  test('stays halted when both sides do not agree', async () => {
    const replica = await open({ isReady: false, startsActive: true })
    path.broker.setBalance(balanceOf('1000000', positions))
    const { balance } = path.broker.gateway
    let asked = 0
    path.broker.gateway.balance = async (...words) => {
      asked += 1
      return asked === 1 ? balance(...words) : balanceOf('999999', [])
    }
    const told = await run(replica, path.connected())
    expect(onlyOf(told, 'account.reconciled').data).toMatchObject({
      agrees: false,
      differences: [
        `position of ${SAMSUNG}: ours 10, the broker's 0`,
        "cash: ours 1000000, the broker's 999999",
      ],
    })
    expect((await path.snapshot()).tradingState).toBe('halted')
  })

  test('is adopted once: a reconnect changes nothing', async () => {
    const replica = await open({ isReady: false, startsActive: true })
    path.broker.setBalance(balanceOf('1000000'))
    await run(replica, path.connected())
    await path.setState('halted')
    path.broker.setBalance(balanceOf('5'))
    await run(path.replica(), path.connected(ACCOUNT, 2))
    expect(await path.snapshot()).toMatchObject({ cash: money('1000000'), tradingState: 'halted' })
  })
})

describe('the opening of a session', () => {
  const TOMORROW = sessionDate('2025-09-03')
  const yesterday = { ...samsung, basePrice: price('65000'), basePriceDate: sessionDate('2025-09-01') }
  const hynix = { ...yesterday, id: HYNIX, name: 'SK하이닉스' }

  test('states the equity of the day once, however often it is told', async () => {
    const replica = await open()
    passTo('08:30', TOMORROW)
    const told = await run(replica, path.phase('openingAuction'))
    expect(onlyOf(told, 'account.reconciled').data).toMatchObject({ sessionDate: TOMORROW })
    expect(await path.snapshot()).toMatchObject({ openingDate: TOMORROW, openingEquity: money('100000000') })
    const { version } = await path.snapshot()
    passTo('09:00', TOMORROW)
    for (const each of [replica, path.replica()]) await run(each, path.phase('continuous'), path.timer())
    expect((await path.snapshot()).version).toBe(version)
  })

  test('waits for the session: the night before, a base price is still that of yesterday', async () => {
    const replica = await open()
    passTo('00:30', TOMORROW)
    await run(replica, path.connected(), path.timer())
    expect(await path.instruments.get(SAMSUNG)).toMatchObject({ basePriceDate: DATE })
    expect((await path.snapshot()).openingDate).toBe(DATE)
    passTo('08:30', TOMORROW)
    await run(replica, path.phase('openingAuction'))
    expect(await path.instruments.get(SAMSUNG)).toMatchObject({ basePriceDate: TOMORROW })
  })

  test('one instrument that cannot be quoted does not keep the account closed, and is asked for again', async () => {
    const replica = await open({ isReady: false })
    await path.instruments.put([hynix, yesterday])
    path.broker.setQuote(HYNIX, new BrokerRefusedError('no such code'))
    await run(replica, path.connected())
    expect((await path.snapshot()).openingDate).toBe(DATE)
    expect(await path.instruments.get(SAMSUNG)).toMatchObject({ basePriceDate: DATE })
    expect(await path.instruments.get(HYNIX)).toMatchObject({ basePriceDate: '2025-09-01' })
    const quote = await path.broker.gateway.quote(SAMSUNG, AbortSignal.timeout(1_000))
    path.broker.setQuote(HYNIX, { ...quote, instrumentId: HYNIX })
    path.pass(60_000)
    await run(replica, path.timer())
    expect(await path.instruments.get(HYNIX)).toMatchObject({ basePriceDate: DATE })
  })

  test('a base price of zero is none', async () => {
    const replica = await open({ isReady: false })
    await path.instruments.put([yesterday])
    const quote = await path.broker.gateway.quote(SAMSUNG, AbortSignal.timeout(1_000))
    path.broker.setQuote(SAMSUNG, { ...quote, basePrice: price('0') })
    await run(replica, path.connected())
    expect(await path.instruments.get(SAMSUNG)).toMatchObject({ basePriceDate: '2025-09-01' })
  })

  test('what is held of an instrument that we do not follow is valued as the broker does', async () => {
    const replica = await open({ isReady: false })
    path.broker.setBalance(balanceOf('1000000', [{ id: HYNIX, units: '2', at: '200000' }]))
    await run(replica, path.connected())
    const { openingEquity } = await path.snapshot()
    expect(openingEquity === undefined ? undefined : formatMoney(openingEquity)).toBe('1400000')
  })
})
