// TypeScript, read just well enough for the rules: code apart from comments and from text in quotes.

export interface Source {
  /** From the root of the repository, with `/`. */
  readonly path: string
  readonly text: string
  /** Same length and lines as `text`; comments and the inside of strings, templates and regular expressions are blank. */
  readonly code: string
  /** The opposite: comments only. */
  readonly comments: string
}

export function parseSource(path: string, text: string): Source {
  const code = text.split('')
  const comments = text.replaceAll(/[^\n]/g, ' ').split('')
  let previous = ''
  for (let at = 0; at < text.length;) {
    const end = endOfTrivia(text, at, previous)
    if (end === undefined) {
      const character = text[at] ?? ''
      if (character.trim() !== '')
        previous = /\w/.test(character)
          ? `${/\w$/.test(text[at - 1] ?? '') ? previous : ''}${character}`
          : character
      at += 1
      continue
    }
    const isComment = text[at] === '/' && (text[at + 1] === '/' || text[at + 1] === '*')
    for (let inside = at; inside < end; inside += 1) {
      const character = text[inside] ?? ''
      if (isComment && character !== '\n') comments[inside] = character
      const isEdge = !isComment && (inside === at || inside === end - 1)
      if (character !== '\n' && !isEdge) code[inside] = ' '
    }
    if (!isComment) previous = '"'
    at = end
  }
  return { path, text, code: code.join(''), comments: comments.join('') }
}

/** Where the comment, string, template or regular expression that begins here ends; `undefined` where none begins. */
function endOfTrivia(text: string, at: number, previous: string): number | undefined {
  const character = text[at]
  if (character === "'" || character === '"') return endOfQuoted(text, at)
  if (character === '`') return endOfTemplate(text, at)
  if (character !== '/') return undefined
  if (text[at + 1] === '/') return orEnd(text, text.indexOf('\n', at))
  if (text[at + 1] === '*') return orEnd(text, text.indexOf('*/', at + 2) + 2)
  const canBeRegex =
    previous === '' ||
    /^[=([{},;:!&|?>~^%*+-]$/.test(previous) ||
    /^(return|typeof|case|in|of)$/.test(previous)
  return canBeRegex ? endOfRegex(text, at) : undefined
}

const orEnd = (text: string, at: number): number => (at <= 0 ? text.length : at)

function endOfQuoted(text: string, at: number): number {
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] === '\\') end += 1
    else if (text[end] === text[at] || text[end] === '\n') return end + 1
  }
  return text.length
}

function endOfTemplate(text: string, at: number): number {
  let depth = 0
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] === '\\') end += 1
    else if (depth > 0 && text[end] === '`') end = endOfTemplate(text, end) - 1
    else if (text[end] === '`') return end + 1
    else if (text[end] === '$' && text[end + 1] === '{') depth += 1
    else if (text[end] === '}' && depth > 0) depth -= 1
  }
  return text.length
}

function endOfRegex(text: string, at: number): number | undefined {
  let inClass = false
  for (let end = at + 1; end < text.length; end += 1) {
    const character = text[end]
    if (character === '\n') return undefined
    if (character === '\\') end += 1
    else if (character === '[') inClass = true
    else if (character === ']') inClass = false
    else if (character === '/' && !inClass) return end + 1
  }
  return undefined
}

export const lineOf = (text: string, at: number): number => text.slice(0, at).split('\n').length

const SPECIFIER = /(?:\bfrom|\bimport|\bimport\()\s*(['"])([^'"\n]+)\1/g

/** Every module that the source names, with its line. */
export function importsOf({
  text,
  code,
}: Source): readonly { readonly specifier: string; readonly line: number }[] {
  return [...text.matchAll(SPECIFIER)]
    .filter((match) => /\S/.test(code.slice(match.index, match.index + 4)))
    .map((match) => ({ specifier: match[2] ?? '', line: lineOf(text, match.index) }))
}
