/** One thing to provision, as data. */
import type { Command } from '../release/command.ts'

/** Secret content that the tool makes while it runs; never in an argument or a file. */
export type Input = 'signing-key' | 'token-secret' | 'jwks'

export type Step = {
  /** Stable name, for progress and for going on after an interruption. */
  readonly id: string
  readonly run: Command
  /** Where this succeeds, or prints something, `run` is not needed. */
  readonly unless?: { readonly command: Command; readonly means: 'succeeds' | 'prints' }
  /** An error output that is as good as success. */
  readonly accept?: RegExp
  /** Steps with the same lock run one after the other: policies are read, changed and written. */
  readonly lock?: string
  /** Handed to the command on its standard input. */
  readonly input?: Input
}

/** Steps of one stage run beside each other; the next stage begins when all are done. */
export type Stage = { readonly title: string; readonly steps: readonly Step[] }
