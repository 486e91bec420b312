// JSON.parse keeps the last of two members with one name and says nothing. In an envelope that is two truths: a proxy
// that filters on the first `type` and we who act on the second. Inside `data` the last one wins, as in JSON.parse.

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

/** Names that occur twice in one object at `depth` (1: the outermost value). `text` is valid JSON. */
export function duplicateMembers(text: string, depth: 1 | 2): readonly string[] {
  const duplicates: string[] = []
  let seen = new Set<string>()
  let level = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(text, at)
      if (level === depth && isFollowedByColon(text, end)) {
        const name = JSON.parse(text.slice(at, end + 1)) as string
        if (seen.has(name)) duplicates.push(name)
        seen.add(name)
      }
      at = end
    } else if (code === 0x7b || code === 0x5b) {
      level += 1
      if (level === depth) seen = new Set()
    } else if (code === 0x7d || code === 0x5d) {
      level -= 1
    }
  }
  return duplicates
}

/** Deeper data are an attack: what JSON.parse still reads, JSON.stringify and every recursive walk would choke on. */
export const NESTING_MAX = 256
/** Text as short as this cannot nest so deep that it hurts; it is not looked at. */
const HARMLESS_LENGTH = 2_000

/** `text` is valid JSON. */
export function isTooDeep(text: string): boolean {
  if (text.length <= HARMLESS_LENGTH) return false
  let level = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === 0x7b || code === 0x5b) level += 1
    else if (code === 0x7d || code === 0x5d) level -= 1
    if (level > NESTING_MAX) return true
  }
  return false
}

/** Position of the closing quote of the string that opens at `open`. */
function endOfString(text: string, open: number): number {
  let end = text.indexOf('"', open + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1
  return backslashes % 2 === 1
}

function isFollowedByColon(text: string, end: number): boolean {
  let at = end + 1
  while (text.charCodeAt(at) <= 0x20) at += 1
  return text.charCodeAt(at) === COLON
}
