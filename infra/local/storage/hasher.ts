import { Worker } from 'node:worker_threads'
import type { HashAnswer, HashTask } from './hash-worker.ts'
import type { Digest } from './hashes.ts'

type Waiting = { resolve(digest: Digest): void; reject(error: Error): void }

/** The thread that hashes files, from this side; it starts with the first large upload. */
export class Hasher {
  #worker: Worker | undefined
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  /** Lets it hash ahead: the first `to` bytes are in the file. */
  advance(path: string, to: number): void {
    this.#post({ path, to })
  }

  /** What it has seen of this file is no longer there. */
  restart(path: string): void {
    if (this.#worker) this.#post({ path, to: 0 })
  }

  /** The checksums of the first `to` bytes. */
  digest(path: string, to: number): Promise<Digest> {
    const { promise, resolve, reject } = Promise.withResolvers<Digest>()
    const id = ++this.#lastId
    this.#waiting.set(id, { resolve, reject })
    this.#post({ path, to, id })
    return promise
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #post(task: HashTask): void {
    this.#worker ??= this.#start()
    this.#worker.postMessage(task)
  }

  #start(): Worker {
    const worker = new Worker(new URL('./hash-worker.ts', import.meta.url))
    // It must not keep a process alive that has nothing else to do.
    worker.unref()
    worker.on('message', (answer: HashAnswer) => this.#settle(answer))
    worker.on('error', (error) => this.#end(error))
    worker.on('exit', () => this.#end(new Error('the hashing thread ended')))
    return worker
  }

  #settle({ id, digest, error }: HashAnswer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (digest) waiting?.resolve(digest)
    else waiting?.reject(new Error(error))
  }

  #end(error: unknown): void {
    this.#worker = undefined
    const reason = error instanceof Error ? error : new Error(String(error))
    for (const { reject } of this.#waiting.values()) reject(reason)
    this.#waiting.clear()
  }
}
