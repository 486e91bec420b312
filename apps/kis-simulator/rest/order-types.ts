// ORD_DVSN (reference §5.3): what of it the simulator plays.
import type { OrderType, TimeInForce } from '#shared/domain/order.ts'

export interface OrderKind {
  readonly orderType: OrderType
  readonly timeInForce: TimeInForce
  /** Where the limit comes from: the order, or the best price of a side at entry. */
  readonly limitFrom?: 'opposite' | 'own'
  readonly name: string
}

export const ORDER_KINDS: Readonly<Record<string, OrderKind>> = {
  '00': { orderType: 'limit', timeInForce: 'day', name: '지정가' },
  '01': { orderType: 'market', timeInForce: 'day', name: '시장가' },
  '03': { orderType: 'limit', timeInForce: 'day', limitFrom: 'opposite', name: '최유리지정가' },
  '04': { orderType: 'limit', timeInForce: 'day', limitFrom: 'own', name: '최우선지정가' },
  '11': { orderType: 'limit', timeInForce: 'ioc', name: 'IOC지정가' },
  '12': { orderType: 'limit', timeInForce: 'fok', name: 'FOK지정가' },
  '13': { orderType: 'market', timeInForce: 'ioc', name: 'IOC시장가' },
  '14': { orderType: 'market', timeInForce: 'fok', name: 'FOK시장가' },
  '15': { orderType: 'limit', timeInForce: 'ioc', limitFrom: 'opposite', name: 'IOC최유리' },
  '16': { orderType: 'limit', timeInForce: 'fok', limitFrom: 'opposite', name: 'FOK최유리' },
}

export const orderTypeName = (code: string): string => ORDER_KINDS[code]?.name ?? code
