// Proves everything: what `npm run verify` runs is what CI runs. `--without-tests` leaves out the tests, for those who
// have just run them.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Step {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

const scratch = mkdtempSync(join(tmpdir(), 'jts-verify-'))
chmodSync(scratch, 0o755) // PostgreSQL has a user of its own where a superuser starts it

const STEPS: readonly Step[] = [
  { name: 'format', command: ['prettier', '--check', '--log-level=warn', '.'] },
  { name: 'types', command: ['tsc', '-p', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'generated files', command: ['node', 'scripts/docs.ts', '--check'] },
  { name: 'deployment files', command: ['node', 'scripts/manifests.ts', '--check', '--schemas'] },
  ...(process.argv.includes('--without-tests')
    ? []
    : [{ name: 'tests', command: ['vitest', 'run'] } as const]),
  // Vitest transforms files itself, so only a real start proves that Node can run them.
  {
    name: 'a run under plain node',
    command: [
      'node',
      'apps/embedded/main.ts',
      '--speed',
      'max',
      '--events',
      '3000',
      '--exit',
      '--data',
      scratch,
    ],
  },
]

let failed = 0
try {
  for (const { name, command } of STEPS) {
    console.log(`\n── ${name}: ${command.join(' ')}`)
    const [program, ...words] = command
    const { status } = spawnSync(program, words, { stdio: 'inherit', env: { ...process.env, JTS_PORT: '0' } })
    if (status !== 0) {
      failed += 1
      console.error(`── ${name} FAILED`)
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
console.log(failed === 0 ? '\nverify: all is well' : `\nverify: ${failed} of ${STEPS.length} failed`)
process.exitCode = failed === 0 ? 0 : 1
