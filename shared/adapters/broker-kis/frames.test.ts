import { describe, expect, test } from 'vitest'
import { decrypted, inboundOf } from './frames.ts'
import { commandOf, meaningOf } from './registrations.ts'

const AES = { key: 'abcdefghijklmnopqrstuvwxyz012345', iv: '0123456789abcdef' }
/** The documented vector. */
const SECRET =
  'nqK8PfHD/Fk8FuQc6+CI5hIrT6oGOlpR1O6YkQ8FBRdrjfO+n/6vcWEe4MsEQkojKSUslbEwAJD93HgBo6lqFWbLL9g9IVE0EHQFavVk536G9VHMZgnLi1R3wF927ZiMuI7W6JCiiLhpMR5mj9XW4JdN+NIy291MFPdwS2qr4gTfq3wK3oUvGd9UEQHGzGXZ7YRb8suS3tG1QHCwFIWAOw=='
const PLAIN =
  'trader01^5012345601^0000012345^^02^0^00^0^000660^0000000004^000182300^101534^0^2^2^00950^000000010^HONG GILDONG^000000000^1^Y^^10^^SK hynix^000182300'

const ack = (changes: Record<string, unknown>, header: Record<string, unknown> = {}): string =>
  JSON.stringify({
    header: { tr_id: 'H0STCNI0', tr_key: 'trader01', encrypt: 'N', ...header },
    body: { rt_cd: '0', msg_cd: 'OPSP0000', msg1: 'SUBSCRIBE SUCCESS', output: AES, ...changes },
  })

describe('what comes in', () => {
  test('a notice decrypts with the key of its channel and with no other', () => {
    expect(decrypted(SECRET, AES)).toBe(PLAIN)
    const other = decrypted(SECRET, { ...AES, key: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345' })
    expect(other).toBeUndefined()
    expect(decrypted('not base64 at all', AES)).toBeUndefined()
  })

  test('an encrypted frame is told by its first character, whatever the acknowledgement said', () => {
    expect(inboundOf(`1|H0STCNI0|001|${SECRET}`)).toMatchObject({ kind: 'data', isEncrypted: true, count: 1 })
  })

  test('a heartbeat has no body', () => {
    expect(inboundOf('{"header":{"tr_id":"PINGPONG","datetime":"20261122101530"}}')).toEqual({
      kind: 'heartbeat',
    })
  })

  test('an acknowledgement carries its key', () => {
    expect(inboundOf(ack({}))).toMatchObject({ kind: 'ack', succeeded: true, channel: 'H0STCNI0', aes: AES })
  })

  test.each([
    ['none', undefined],
    ['a key that is too short', { key: 'short', iv: AES.iv }],
    ['a vector of 16 characters that are 48 bytes', { key: AES.key, iv: '가'.repeat(16) }],
  ])('pitfall 6: %s is no key', (_name, output) => {
    expect(inboundOf(ack({ output }))).not.toHaveProperty('aes')
  })

  test('a failure before parsing names no channel', () => {
    const inbound = inboundOf(ack({ rt_cd: '1', msg_cd: 'OPSP9999' }, { tr_id: '(null)', tr_key: '' }))
    expect(inbound).not.toHaveProperty('channel')
    expect(inbound).toMatchObject({ kind: 'ack', succeeded: false, code: 'OPSP9999' })
  })

  test.each([
    '',
    'hello',
    '{',
    '{}',
    '[]',
    '{"header":{}}',
    '2|H0STCNT0|001|x',
    '0|H0STCNT0|000|x',
    '0|H0STCNT0|',
    '0||001|x',
  ])('%o is reported, not dropped', (text) => expect(inboundOf(text).kind).toBe('unreadable'))
})

test('a registration is one command with the approval key inside', () => {
  expect(JSON.parse(commandOf('approval-1', { channel: 'H0STCNT0', key: '000660' }, 'add'))).toEqual({
    header: { approval_key: 'approval-1', custtype: 'P', tr_type: '1', 'content-type': 'utf-8' },
    body: { input: { tr_id: 'H0STCNT0', tr_key: '000660' } },
  })
})

test.each([
  ['0', 'OPSP0000', 'registered'],
  ['1', 'OPSP0002', 'alreadyRegistered'],
  ['1', 'OPSP0003', 'gone'],
  ['1', 'OPSP0007', 'later'],
  ['9', 'OPSP0008', 'refused'],
  ['1', 'OPSP0009', 'later'],
  ['1', 'OPSP0010', 'refused'],
  ['1', 'OPSP0011', 'staleApproval'],
  ['1', 'OPSP8991', 'refused'],
  ['9', 'OPSP8996', 'busy'],
  ['1', 'OPSP9999', 'refused'],
  ['1', 'OPSP0123', 'later'],
  ['0', 'SOMETHING', 'registered'],
])('rt_cd %s with %s means %s', (resultCode, code, meaning) => {
  expect(meaningOf({ succeeded: resultCode === '0', code })).toBe(meaning)
})
