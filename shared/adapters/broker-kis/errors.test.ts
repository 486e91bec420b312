import { describe, expect, test } from 'vitest'
import { listChanged, verdictOf } from './errors.ts'

describe('what a KIS code means', () => {
  test.each([
    ['EGW00121', 'token'],
    ['EGW00123', 'token'],
    ['EGW00201', 'unread'],
    ['EGW00215', 'unread'],
    ['EGW00133', 'unread'],
    ['EGW00301', 'timeout'],
    ['EGW00302', 'timeout'],
    ['EGW00300', 'timeout'],
    ['EGW00001', 'later'],
    ['EGW00103', 'forbidden'],
    ['EGW00206', 'forbidden'],
    ['EGW02004', 'forbidden'],
    ['EGW2004', 'forbidden'],
    ['EGW02006', 'forbidden'],
    ['EGW02007', 'forbidden'],
    ['APBK0952', 'no'],
    ['APBK1943', 'no'],
    ['KIOK0320', 'no'],
    ['APAC0489', 'no'],
    ['40310000', 'no'],
    ['90000000', 'no'],
    ['OPSQ2000', 'no'],
    ['OPSQ9996', 'no'],
  ])('%s is %s', (code, verdict) => expect(verdictOf(code)).toBe(verdict))

  test.each([
    '',
    'OPSQ0009',
    'OPSQ0003',
    'IGW00009',
    'EGW09999',
    'NEWCODE1',
    'APBK0013',
    '40600000',
    'MCA00000',
  ])('%o is not a definite no: an order that it answers may exist', (code) =>
    expect(verdictOf(code)).toBe('later'),
  )

  test('only two verdicts let an order go again, and none of them is given to a code nobody knows', () => {
    const codes = Array.from({ length: 1_000 }, (_, index) => `EGW${String(index).padStart(5, '0')}`)
    const again = codes.filter((code) => ['unread', 'token'].includes(verdictOf(code)))
    expect(again).toEqual(['EGW00121', 'EGW00122', 'EGW00123', 'EGW00133', 'EGW00201', 'EGW00215'])
  })

  test('a list that changed is told by its text', () => {
    expect(listChanged('조회 이후 자료가 변경되었습니다. 다시 조회하시기 바랍니다.')).toBe(true)
    expect(listChanged('주문가능금액을 초과 했습니다')).toBe(false)
  })
})
