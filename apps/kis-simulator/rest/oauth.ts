// Tokens and keys. The only calls without a gate before them: they carry their credentials themselves.
import { createHash } from 'node:crypto'
import { addMs } from '#shared/domain/time.ts'
import { TOKEN_LIFETIME_MS } from '../customers.ts'
import { type Call, type Desk, type Reply, failed, kisDateOf, kisTime } from './reply.ts'

type Body = Readonly<Record<string, unknown>>

/** `undefined` unless the text is a JSON object. */
export function jsonObject(text: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

const textIn = (body: Body, name: string): string => {
  const value = body[name]
  return typeof value === 'string' ? value : ''
}

const oauthError = (status: number, code: string, text: string): Reply => ({
  status,
  body: { error_description: text, error_code: code },
})

/** What is wrong with the credentials in a body; `undefined` when they are good. */
function wrongCredentials(desk: Desk, body: Body, secretName: string): Reply | undefined {
  const appKey = textIn(body, 'appkey')
  if (appKey === '') return oauthError(403, 'EGW00102', 'AppKey는 필수입니다.')
  if (!desk.customers.knows(appKey)) return oauthError(403, 'EGW00103', '유효하지 않은 AppKey입니다.')
  const secret = textIn(body, secretName)
  if (secret === '') return oauthError(403, 'EGW00104', 'AppSecret은 필수입니다.')
  if (!desk.customers.hasSecret(appKey, secret)) {
    return oauthError(403, 'EGW00105', '유효하지 않은 AppSecret입니다.')
  }
  return undefined
}

function wrongGrant(body: Body): Reply | undefined {
  const grant = textIn(body, 'grant_type')
  if (grant === '') return oauthError(403, 'EGW00115', 'grant_type은 필수입니다.')
  return grant === 'client_credentials'
    ? undefined
    : oauthError(403, 'EGW00116', '지원하지 않는 grant_type 입니다.')
}

export function tokenP(desk: Desk, call: Call): Reply {
  const body = jsonObject(call.bodyText)
  if (body === undefined) return oauthError(403, 'EGW00101', '유효하지 않은 요청입니다.')
  const wrong = wrongGrant(body) ?? wrongCredentials(desk, body, 'appsecret')
  if (wrong !== undefined) return wrong
  const answer = desk.customers.issueToken(textIn(body, 'appkey'))
  if (answer.outcome === 'tooSoon') {
    return oauthError(403, 'EGW00133', '접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)')
  }
  const expiry = addMs(desk.wallNow(), Math.floor(answer.expiresInMs))
  const [date, time] = [kisDateOf(expiry), kisTime(expiry)]
  return {
    status: 200,
    body: {
      access_token: answer.token,
      access_token_token_expired:
        `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)} ` +
        `${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}`,
      token_type: 'Bearer',
      expires_in: Math.floor(Math.min(answer.expiresInMs, TOKEN_LIFETIME_MS) / 1000),
    },
  }
}

export function approval(desk: Desk, call: Call): Reply {
  const body = jsonObject(call.bodyText)
  if (body === undefined) return oauthError(403, 'EGW00101', '유효하지 않은 요청입니다.')
  const wrong = wrongGrant(body) ?? wrongCredentials(desk, body, 'secretkey')
  if (wrong !== undefined) return wrong
  return { status: 200, body: { approval_key: desk.customers.issueApproval(textIn(body, 'appkey')) } }
}

export function revokeP(desk: Desk, call: Call): Reply {
  const body = jsonObject(call.bodyText)
  if (body === undefined) return oauthError(403, 'EGW00101', '유효하지 않은 요청입니다.')
  const wrong = wrongCredentials(desk, body, 'appsecret')
  if (wrong !== undefined) return wrong
  if (!desk.customers.revokeToken(textIn(body, 'appkey'), textIn(body, 'token'))) {
    return oauthError(403, 'EGW00121', '유효하지 않은 token 입니다.')
  }
  return { status: 200, body: { code: 200, message: '접근토큰 폐기에 성공하였습니다' } }
}

export const hashOf = (bodyText: string): string => createHash('sha256').update(bodyText).digest('hex')

export function hashkey(desk: Desk, call: Call): Reply {
  if (!desk.customers.hasSecret(call.appKey, call.header('appsecret'))) {
    return failed(500, 'EGW00103', '유효하지 않은 AppKey입니다.')
  }
  const body = jsonObject(call.bodyText)
  if (body === undefined) return failed(500, 'EGW00101', '유효하지 않은 요청입니다.')
  return { status: 200, body: { BODY: body, HASH: hashOf(call.bodyText) } }
}
