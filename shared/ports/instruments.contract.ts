import { describe, expect, test } from 'vitest'
import { quantity, ratio } from '#shared/domain/values.ts'
import { HYNIX, SAMSUNG, samsung } from '../../test/build.ts'
import type { Instruments } from './instruments.ts'

const { basePrice: _price, basePriceDate: _date, ...withoutBase } = samsung
const hynix = { ...withoutBase, id: HYNIX, name: 'SK하이닉스', isTradable: false, leverage: ratio('2') }

/** What every Instruments must do. `open` gives one that no other test has written to. */
export const instrumentsContract = (adapter: string, open: () => Promise<Instruments>): void => {
  describe(`${adapter} as Instruments`, () => {
    test('instruments come back whole, with and without a base price', async () => {
      const instruments = await open()
      await instruments.put([samsung, hynix])
      expect(await instruments.get(SAMSUNG)).toEqual(samsung)
      expect(await instruments.get(HYNIX)).toEqual(hynix)
      expect(new Set(await instruments.list())).toEqual(new Set([samsung, hynix]))
    })

    test('an instrument that nobody put is unknown', async () => {
      const instruments = await open()
      expect(await instruments.get(SAMSUNG)).toBeUndefined()
      expect(await instruments.list()).toEqual([])
    })

    test('putting again replaces the whole entry and leaves the others', async () => {
      const instruments = await open()
      await instruments.put([samsung, hynix])
      const replaced = { ...withoutBase, quantityIncrement: quantity('10'), isTradable: false }
      await instruments.put([replaced])
      expect(await instruments.get(SAMSUNG)).toEqual(replaced)
      expect(await instruments.get(HYNIX)).toEqual(hynix)
    })

    test('of two entries for one instrument the later stands', async () => {
      const instruments = await open()
      await instruments.put([hynix, { ...samsung, name: 'old' }, samsung])
      expect(await instruments.get(SAMSUNG)).toEqual(samsung)
    })

    test('nothing can be put', async () => {
      const instruments = await open()
      await instruments.put([])
      expect(await instruments.list()).toEqual([])
    })

    test('a whole market can be put at once', async () => {
      const instruments = await open()
      const market = Array.from({ length: 3_000 }, (_, index) => ({
        ...samsung,
        id: `${String(index).padStart(6, '0')}.KRX` as typeof SAMSUNG,
      }))
      await instruments.put(market)
      expect(await instruments.list()).toHaveLength(3_000)
    })
  })
}
