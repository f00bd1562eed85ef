import { StatusError } from './status.ts'

/** Whoever can hold locks: a read-write transaction. */
export type Owner = { readonly held: Set<string> }

/** Who asks, and which keys must be free of other transactions. */
export type Request = {
  readonly owner: Owner | undefined
  /** What is read or written: nobody else may at the same time. */
  readonly keys: readonly string[]
  /** What contains it: any number of writes may pass at once, as long as no transaction has read the whole. */
  readonly within: readonly string[]
  /** Keep `keys` until the owner ends. */
  readonly hold: boolean
  /** Whoever waits; the signal is only asked for when there is something to wait for. */
  readonly caller: Caller
}

export type Caller = { readonly signal: AbortSignal }

type Waiter = Request & {
  readonly grant: () => void
  readonly refuse: (reason: StatusError) => void
}

/**
 * Exclusive locks with one queue in order of arrival. A transaction holds what it read until it
 * ends; a commit needs all its keys free of other transactions for one moment only, in which it runs.
 * A transaction that already holds something passes those that hold nothing, so only transactions
 * can wait in a circle, and the one that would close the circle is aborted at once.
 */
export class Locks {
  readonly #holders = new Map<string, Owner>()
  #queue: Waiter[] = []

  /** Runs `action` in the moment in which the keys are free. Rejects with ABORTED on a circle, with CANCELLED when the caller goes away. */
  async run<T>(request: Request, action: () => T): Promise<T> {
    if (!this.#blocked(request, this.#queue)) return this.#perform(request, action)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const grant = () => {
      try {
        resolve(this.#perform(request, action))
      } catch (error) {
        reject(error)
      }
    }
    const waiter: Waiter = { ...request, grant, refuse: reject }
    this.#queue.push(waiter)
    if (this.#closesCircle(request.owner)) this.#leave(waiter, circle())
    const cancel = () => this.#leave(waiter, new StatusError('CANCELLED', 'The caller has gone.'))
    const { signal } = request.caller
    signal.addEventListener('abort', cancel)
    return promise.finally(() => signal.removeEventListener('abort', cancel))
  }

  /** Gives up everything the owner holds or waits for. */
  release(owner: Owner): void {
    for (const key of owner.held) this.#holders.delete(key)
    owner.held.clear()
    this.#refuseAll(owner, new StatusError('ABORTED', 'The transaction has ended.'))
    this.#grantWaiting()
  }

  #perform<T>({ owner, keys, hold }: Request, action: () => T): T {
    if (owner !== undefined && hold) {
      for (const key of keys) {
        this.#holders.set(key, owner)
        owner.held.add(key)
      }
    }
    return action()
  }

  #leave(waiter: Waiter, reason: StatusError): void {
    this.#queue = this.#queue.filter((other) => other !== waiter)
    waiter.refuse(reason)
    this.#grantWaiting()
  }

  #refuseAll(owner: Owner, reason: StatusError): void {
    const gone = this.#queue.filter((waiter) => waiter.owner === owner)
    this.#queue = this.#queue.filter((waiter) => waiter.owner !== owner)
    for (const waiter of gone) waiter.refuse(reason)
  }

  /** Another transaction holds a key, or somebody who came earlier waits for one and this one holds nothing yet. */
  #blocked(request: Request, earlier: readonly Waiter[]): boolean {
    if (this.#holders.size === 0 && earlier.length === 0) return false
    const { owner, keys, within } = request
    const foreign = (key: string) => {
      const holder = this.#holders.get(key)
      return holder !== undefined && holder !== owner
    }
    if (keys.some(foreign) || within.some(foreign)) return true
    if (earlier.length === 0 || (owner !== undefined && owner.held.size > 0)) return false
    return earlier.some((waiter) => conflict(request, waiter))
  }

  #grantWaiting(): void {
    for (let at = 0; at < this.#queue.length; ) {
      const waiter = this.#queue[at]
      if (waiter === undefined) return
      if (this.#blocked(waiter, this.#queue.slice(0, at))) {
        at += 1
        continue
      }
      this.#queue = this.#queue.filter((other) => other !== waiter)
      waiter.grant()
      if (this.#closesCircle(waiter.owner)) this.#refuseAll(waiter.owner, circle())
      at = 0
    }
  }

  #closesCircle(owner: Owner | undefined): owner is Owner {
    return owner !== undefined && this.#reaches(owner, owner, new Set())
  }

  /** Does `from` wait, over any number of others, for `target`? */
  #reaches(from: Owner, target: Owner, seen: Set<Owner>): boolean {
    for (const holder of this.#waitsFor(from)) {
      if (holder === target) return true
      if (seen.has(holder)) continue
      seen.add(holder)
      if (this.#reaches(holder, target, seen)) return true
    }
    return false
  }

  /** The holders of everything the owner waits for. */
  #waitsFor(owner: Owner): Owner[] {
    const keys = this.#queue
      .filter((waiter) => waiter.owner === owner)
      .flatMap((waiter) => [...waiter.keys, ...waiter.within])
    return keys.flatMap((key) => {
      const holder = this.#holders.get(key)
      return holder === undefined || holder === owner ? [] : [holder]
    })
  }
}

/** Two requests get in each other's way where one reads or writes what the other does, or what contains it. */
function conflict(a: Request, b: Request): boolean {
  const [own, around] = [new Set(a.keys), new Set(a.within)]
  return (
    b.keys.some((key) => own.has(key) || around.has(key)) || b.within.some((key) => own.has(key))
  )
}

function circle(): StatusError {
  return new StatusError('ABORTED', 'Transactions wait for each other; this one gives way.')
}
