// docs/configuration.md and .env.example: every setting there is.
import type { Setting } from '#shared/runtime/setting.ts'
import { cell } from './events.ts'
import type { ConfigSection } from './repository.ts'

const HEADER = `# Configuration

Printed from the settings schemas by \`node scripts/docs.ts\`. Do not edit.

Settings are environment variables, read once at start. All faults are reported together, and the process ends with code 2.
An empty variable counts as unset. \`.env.local\` holds settings of one machine; the environment wins over it. Any setting can
be read from a file: \`NAME_FILE=/path\`. Secrets are also found as files in \`/var/openfaas/secrets\`, \`/run/secrets\` and
\`/etc/jts/secrets\`, called as the setting or in lower case with dashes. What guards money has no default.
`

export const configurationDoc = (sections: readonly ConfigSection[]): string =>
  `${[HEADER.trim(), ...sections.map(sectionDoc)].join('\n\n')}\n`

function sectionDoc({ title, path, settings }: ConfigSection): string {
  const rows = settings.map((setting) => {
    const preset =
      setting.default === undefined ? (setting.required ? '**required**' : 'unset') : `\`${setting.default}\``
    return `| \`${setting.name}\` | ${cell(setting.type)} | ${preset === '``' ? 'empty' : preset} | ${cell(setting.description)}${setting.secret ? ' Secret.' : ''} |`
  })
  return [
    `## ${title}`,
    `From \`${path}\`.`,
    ['| setting | value | default | what it is |', '|---|---|---|---|', ...rows].join('\n'),
  ].join('\n\n')
}

const EXAMPLE_HEADER = `# Every setting of JTS with its default. Printed by \`node scripts/docs.ts\`; do not edit.
# Copy what you change to .env.local. Settings without a default stand without a value.
`

/** Each setting once, where it first occurs. Nothing is switched on by copying it. */
export function envExample(sections: readonly ConfigSection[]): string {
  const seen = new Set<string>()
  const blocks = sections.map(({ title, settings }) => {
    const own = settings.filter(({ name }) => !seen.has(name))
    for (const { name } of own) seen.add(name)
    return own.length === 0 ? '' : `# ── ${title} ──\n\n${own.map(exampleOf).join('\n')}`
  })
  return [EXAMPLE_HEADER, ...blocks.filter((block) => block !== '')].join('\n')
}

function exampleOf(setting: Setting): string {
  const notes = [
    setting.type,
    ...(setting.required ? ['required'] : []),
    ...(setting.secret ? ['secret'] : []),
  ]
  const description = setting.description === '' ? '' : `${setting.description} `
  return `# ${description}(${notes.join(', ')})\n# ${setting.name}=${setting.default ?? ''}\n`
}
