// What is registered on one session, and what KIS's answer to a registration means.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { symbolOf, venueOf } from '#shared/domain/instrument.ts'
import type { KisAccount, KisSettings } from './accounts.ts'
import { BOOK_CHANNEL, TRADE_CHANNEL, noticeChannel } from './tr-ids.ts'

/** All channels of one session together. The 42nd is answered with OPSP0008. */
export const REGISTRATIONS_MAX = 41

export interface Registration {
  readonly channel: string
  /** A symbol, or the HTS ID for the notice channel. */
  readonly key: string
}

export type RegistrationList =
  | { readonly outcome: 'listed'; readonly registrations: readonly Registration[] }
  | { readonly outcome: 'refused'; readonly reason: string }

/** Notices first: an order must not be placed by us before its notice can be heard. */
export function registrationsOf(
  settings: KisSettings,
  account: KisAccount,
  instrumentIds: readonly InstrumentId[],
  withOrderBook: boolean,
): RegistrationList {
  if (account.htsId === undefined) {
    return { outcome: 'refused', reason: `${account.accountId}: JTS_KIS_ACCOUNT_n_HTS_ID is not set` }
  }
  const foreign = instrumentIds.find((id) => venueOf(id) !== 'KRX')
  if (foreign !== undefined) return { outcome: 'refused', reason: `${foreign}: only KRX is streamed here` }
  const registrations: Registration[] = [
    { channel: noticeChannel(settings.paperTrading), key: account.htsId },
  ]
  for (const id of new Set(instrumentIds)) {
    registrations.push({ channel: TRADE_CHANNEL, key: symbolOf(id) })
    if (withOrderBook) registrations.push({ channel: BOOK_CHANNEL, key: symbolOf(id) })
  }
  if (registrations.length > REGISTRATIONS_MAX) {
    const reason = `${registrations.length} registrations wanted, KIS allows ${REGISTRATIONS_MAX} a session`
    return { outcome: 'refused', reason }
  }
  return { outcome: 'listed', registrations }
}

/** The command that registers. One registration a message. */
export const commandOf = (approval: string, { channel, key }: Registration, kind: 'add' | 'remove'): string =>
  JSON.stringify({
    header: {
      approval_key: approval,
      custtype: 'P',
      tr_type: kind === 'add' ? '1' : '2',
      'content-type': 'utf-8',
    },
    body: { input: { tr_id: channel, tr_key: key } },
  })

export const ACK_MEANINGS = [
  'registered',
  'alreadyRegistered', // as good as registered, but without an AES key
  'gone', // an unsubscribe found nothing; nothing is lost
  'later',
  'staleApproval',
  'busy', // another session holds the app key
  'refused',
] as const
export type AckMeaning = (typeof ACK_MEANINGS)[number]

/** Reference §8.5. */
const MEANING: Readonly<Record<string, AckMeaning>> = {
  OPSP0000: 'registered',
  OPSP0001: 'gone',
  OPSP0002: 'alreadyRegistered',
  OPSP0003: 'gone',
  OPSP0007: 'later',
  OPSP0008: 'refused', // more than 41: asking again would be refused again
  OPSP0009: 'later',
  OPSP0010: 'refused', // invalid appkey
  OPSP0011: 'staleApproval',
  OPSP8996: 'busy', // pitfall 3: an old session lingers for up to a minute and more
  OPSP8999: 'later', // resource
  OPSP9993: 'later', // internal
  OPSP9995: 'later', // resource
}

/** Unlisted OPSP8xxx and OPSP9xxx are faults of ours in a command or in the keys: no dialing mends them. */
export function meaningOf(ack: { readonly succeeded: boolean; readonly code: string }): AckMeaning {
  const listed = MEANING[ack.code]
  if (listed !== undefined) return listed
  if (ack.succeeded) return 'registered'
  return /^OPSP[89]\d{3}$/.test(ack.code) ? 'refused' : 'later'
}
