// Media types as RFC 9110 writes them: case-insensitive, with parameters, quoted or not.

const TOKEN = "[!#$%&'*+.^_`|~\\dA-Za-z-]+"
const MEDIA_TYPE = new RegExp(
  `^${TOKEN}/${TOKEN}(?:[ \\t]*;[ \\t]*(?:${TOKEN}=(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*"))?)*[ \\t]*$`,
)
const CHARSET = /;[ \t]*charset=(?:"([^"]*)"|([^;\s]+))/i

export const isMediaType = (text: string): boolean => text === 'application/json' || MEDIA_TYPE.test(text)

/** `type/subtype` in lower case, without parameters. */
export function essenceOf(mediaType: string): string {
  const end = mediaType.indexOf(';')
  return (end === -1 ? mediaType : mediaType.slice(0, end)).trim().toLowerCase()
}

/** In lower case; `undefined` where none is given. */
export function charsetOf(mediaType: string): string | undefined {
  if (!mediaType.includes(';')) return undefined
  const match = CHARSET.exec(mediaType)
  return (match?.[1] ?? match?.[2])?.toLowerCase()
}

/** `application/json`, `text/json`, `application/x+json` … */
export const isJsonType = (essence: string): boolean =>
  essence === 'application/json' || essence.endsWith('/json') || essence.endsWith('+json')

/** We read UTF-8 and its subset ASCII. */
export const isReadableCharset = (charset: string | undefined): boolean =>
  charset === undefined || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii'
