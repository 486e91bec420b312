// H0STCNI0 / H0STCNI9: order and execution notices (reference §9.3), encrypted with the key of the newest acknowledgement.
import { createCipheriv } from 'node:crypto'
import type { TimeInForce } from '#shared/domain/order.ts'
import type { VenueNotice } from '#shared/simulation/venue-order.ts'
import { codeOf, kisTime, won } from '../rest/reply.ts'
import type { Widths } from './frames.ts'

export const NOTICES = { real: 'H0STCNI0', paper: 'H0STCNI9' } as const

interface NoticeCode {
  /** RFUS_YN */
  readonly refused: '0' | '1'
  /** CNTG_YN: 1 about the order, 2 a fill. */
  readonly fill: '1' | '2'
  /** ACPT_YN: 1 received, 2 confirmed, 3 canceled by IOC or FOK. */
  readonly accepted: '1' | '2' | '3'
}

const CODES: Record<VenueNotice['kind'], NoticeCode> = {
  accepted: { refused: '0', fill: '1', accepted: '1' },
  rejected: { refused: '1', fill: '1', accepted: '1' },
  filled: { refused: '0', fill: '2', accepted: '2' },
  amendReceived: { refused: '0', fill: '1', accepted: '1' },
  amended: { refused: '0', fill: '1', accepted: '2' },
  cancelReceived: { refused: '0', fill: '1', accepted: '1' },
  canceled: { refused: '0', fill: '1', accepted: '2' },
  killed: { refused: '0', fill: '1', accepted: '3' },
}

const CONDITIONS: Record<TimeInForce, string> = { day: '0', ioc: '1', fok: '2' }

const padded = (value: bigint | string, width: number): string => value.toString().padStart(width, '0')

export interface NoticeParty {
  readonly htsId: string
  readonly holder: string
  readonly branch: string
  readonly instrumentName: string
}

/** The `^` list before encryption. */
export function noticeText(notice: VenueNotice, party: NoticeParty, width: Widths['notice']): string {
  const { order, kind, quantity } = notice
  const code = CODES[kind]
  const isFill = kind === 'filled'
  const isCancel = order.change === 'cancel'
  const orderPrice = order.limitPrice === undefined || isCancel ? '0' : won(order.limitPrice)
  const noticePrice = notice.price === undefined ? orderPrice : won(notice.price)
  const head = [
    party.htsId,
    order.accountNumber,
    padded(BigInt(order.orderNumber), 10),
    order.originalNumber === undefined ? '' : padded(BigInt(order.originalNumber), 10),
    order.side === 'sell' ? '01' : '02',
    order.change === undefined ? '0' : order.change === 'amend' ? '1' : '2',
    // A captured market order showed its type on the order notice and 00 on its fills.
    isFill && order.orderType === 'market' ? '00' : order.typeCode,
    CONDITIONS[order.timeInForce],
    codeOf(order.instrumentId),
    padded(quantity, 10),
    padded(noticePrice, 9),
    kisTime(notice.at),
    code.refused,
    code.fill,
    code.accepted,
    party.branch,
    padded(order.quantity, 9),
    party.holder,
  ]
  const credit = ['10', '']
  const tail = [party.instrumentName, isFill ? padded(orderPrice, 9) : '']
  if (width === 23) return [...head, party.instrumentName, ...credit, ...tail].join('^')
  return [...head, padded('0', 9), '1', 'Y', '', ...credit, ...tail].join('^')
}

export interface CipherKey {
  /** 32 characters, used as bytes. */
  readonly key: string
  /** 16 characters. */
  readonly iv: string
}

export function encryptedFrame(trId: string, text: string, { key, iv }: CipherKey): string {
  const cipher = createCipheriv('aes-256-cbc', Buffer.from(key, 'utf8'), Buffer.from(iv, 'utf8'))
  const payload = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]).toString('base64')
  return `1|${trId}|001|${payload}`
}
