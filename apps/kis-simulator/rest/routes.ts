// Which path and TR id lead where.
import { balance, orderable } from './balance.ts'
import { dailyChart, minuteChart } from './charts.ts'
import type { TrIds } from './gate.ts'
import { approval, hashkey, revokeP, tokenP } from './oauth.ts'
import { changeableOrders, dailyOrders } from './order-list.ts'
import { orderCash, orderChange } from './orders.ts'
import { askingPrice, holidays, latestTrades, price } from './quotes.ts'
import type { Endpoint } from './reply.ts'

export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly trIds: TrIds
  readonly endpoint: Endpoint
}

/** Calls that carry their credentials themselves. */
export const OPEN_ROUTES: Readonly<Record<string, Endpoint>> = {
  '/oauth2/tokenP': tokenP,
  '/oauth2/revokeP': revokeP,
  '/oauth2/Approval': approval,
  '/uapi/hashkey': hashkey,
}

const TRADING = '/uapi/domestic-stock/v1/trading'
const QUOTATIONS = '/uapi/domestic-stock/v1/quotations'
const both = (trId: string): TrIds => ({ real: [trId], paper: [trId] })

export const ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: `${TRADING}/order-cash`,
    trIds: { real: ['TTTC0012U'], paper: ['VTTC0012U'] },
    endpoint: orderCash('buy'),
  },
  {
    method: 'POST',
    path: `${TRADING}/order-cash`,
    trIds: { real: ['TTTC0011U'], paper: ['VTTC0011U'] },
    endpoint: orderCash('sell'),
  },
  {
    method: 'POST',
    path: `${TRADING}/order-rvsecncl`,
    trIds: { real: ['TTTC0013U'], paper: ['VTTC0013U'] },
    endpoint: orderChange,
  },
  {
    method: 'GET',
    path: `${TRADING}/inquire-psbl-rvsecncl`,
    trIds: { real: ['TTTC0084R'], paper: [] },
    endpoint: changeableOrders,
  },
  {
    method: 'GET',
    path: `${TRADING}/inquire-daily-ccld`,
    trIds: { real: ['TTTC0081R', 'CTSC9215R'], paper: ['VTTC0081R', 'VTSC9215R'] },
    endpoint: dailyOrders,
  },
  {
    method: 'GET',
    path: `${TRADING}/inquire-balance`,
    trIds: { real: ['TTTC8434R'], paper: ['VTTC8434R'] },
    endpoint: balance,
  },
  {
    method: 'GET',
    path: `${TRADING}/inquire-psbl-order`,
    trIds: { real: ['TTTC8908R'], paper: ['VTTC8908R'] },
    endpoint: orderable,
  },
  { method: 'GET', path: `${QUOTATIONS}/inquire-price`, trIds: both('FHKST01010100'), endpoint: price },
  {
    method: 'GET',
    path: `${QUOTATIONS}/inquire-asking-price-exp-ccn`,
    trIds: both('FHKST01010200'),
    endpoint: askingPrice,
  },
  { method: 'GET', path: `${QUOTATIONS}/inquire-ccnl`, trIds: both('FHKST01010300'), endpoint: latestTrades },
  {
    method: 'GET',
    path: `${QUOTATIONS}/inquire-daily-itemchartprice`,
    trIds: both('FHKST03010100'),
    endpoint: dailyChart,
  },
  {
    method: 'GET',
    path: `${QUOTATIONS}/inquire-time-itemchartprice`,
    trIds: both('FHKST03010200'),
    endpoint: minuteChart,
  },
  {
    method: 'GET',
    path: `${QUOTATIONS}/chk-holiday`,
    trIds: { real: ['CTCA0903R'], paper: [] },
    endpoint: holidays,
  },
]
