// YAML as people read it: a comment on top, text in quotes, no line folding.
import { Document } from 'yaml'

export interface YamlPart {
  /** Stands above the document. */
  readonly comment?: string
  readonly content: unknown
}

const WIDTH = 110

/** One file of one or more documents, ending with a newline. */
export function yamlText(header: string, parts: readonly YamlPart[]): string {
  const documents = parts.map(({ comment, content }) => {
    // Every text is quoted, so that no value is taken for a number or a boolean, whatever is substituted into it.
    const text = new Document(content, { aliasDuplicateObjects: false }).toString({
      defaultKeyType: 'PLAIN',
      defaultStringType: 'QUOTE_DOUBLE',
      lineWidth: 0,
      flowCollectionPadding: false,
    })
    return comment === undefined ? text : `${commented(comment)}\n${text}`
  })
  return `${commented(header)}\n${documents.length === 1 ? '' : '---\n'}${documents.join('---\n')}`
}

/** As comment lines of at most `WIDTH` characters. */
function commented(text: string): string {
  const lines = text.split('\n').flatMap((paragraph) => {
    const wrapped: string[] = []
    let line = '#'
    for (const word of paragraph.split(' ')) {
      if (line.length + 1 + word.length > WIDTH && line !== '#') {
        wrapped.push(line)
        line = '#'
      }
      line = `${line} ${word}`
    }
    return [...wrapped, line.trimEnd()]
  })
  return lines.join('\n')
}
