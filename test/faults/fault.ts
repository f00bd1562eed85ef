/** What a proxy does to the next matching calls. */
export type Fault =
  /** Answered at once with this code (gRPC or HTTP), nothing forwarded. */
  | { readonly kind: 'answer'; readonly code: number }
  /** Forwarded after so many milliseconds. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** Forwarded once this is settled. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> }
  /** Forwarded and carried out; the reply is thrown away and the connection of the call broken off. */
  | { readonly kind: 'lose-reply' }
  /** Never answered, until the caller gives up. */
  | { readonly kind: 'hang' }
  /** So many bytes of the call's body pass, then the connection is broken off. */
  | { readonly kind: 'cut'; readonly afterBytes: number }

type Rule = { readonly matches: (call: string) => boolean; readonly fault: Fault; left: number }

/** Rules in order; the first that matches and has a turn left decides. */
export class FaultRules {
  readonly #rules: Rule[] = []
  /** Every call that came, in order. */
  readonly calls: string[] = []

  /** The next `times` calls that match suffer the fault; `skip` of them pass before. */
  add(pattern: RegExp, fault: Fault, options: { times?: number; skip?: number } = {}): void {
    let passed = 0
    const matches = (call: string) => {
      if (!pattern.test(call)) return false
      passed += 1
      return passed > (options.skip ?? 0)
    }
    this.#rules.push({ matches, fault, left: options.times ?? Number.POSITIVE_INFINITY })
  }

  heal(): void {
    this.#rules.length = 0
  }

  take(call: string): Fault | undefined {
    this.calls.push(call)
    const rule = this.#rules.find((candidate) => candidate.left > 0 && candidate.matches(call))
    if (rule === undefined) return undefined
    rule.left -= 1
    return rule.fault
  }
}

export type FaultProxy = {
  /** `host:port`. */
  readonly host: string
  readonly rules: FaultRules
  /** How many calls are under way. */
  open(): number
  close(): Promise<void>
}
