import type { StoredDocument } from './document.ts'

const CACHE_BYTES = 64 * 1024 * 1024
/** The part that stays when it is full. */
const KEPT = 7 / 8

/** Recently used documents, so that hot reads and repeated queries touch neither SQLite nor the decoder. */
export class DocumentCache {
  readonly #byId = new Map<number, StoredDocument>()
  readonly #byPlace = new Map<string, StoredDocument>()
  #bytes = 0

  id(document: number): StoredDocument | undefined {
    return this.#byId.get(document)
  }

  place(place: string): StoredDocument | undefined {
    return this.#byPlace.get(place)
  }

  put(place: string, document: StoredDocument): void {
    this.drop(place)
    this.#byId.set(document.id, document)
    this.#byPlace.set(place, document)
    this.#bytes += weight(document)
    if (this.#bytes > CACHE_BYTES) this.#evict()
  }

  drop(place: string): void {
    const document = this.#byPlace.get(place)
    if (document === undefined) return
    this.#byPlace.delete(place)
    this.#byId.delete(document.id)
    this.#bytes -= weight(document)
  }

  /** Several at once: looking for the oldest one in a map passes over all that were dropped before it. */
  #evict(): void {
    for (const place of this.#byPlace.keys()) {
      if (this.#bytes <= CACHE_BYTES * KEPT) return
      this.drop(place)
    }
  }
}

/** Bytes of memory: the encoded fields once, decoded about four times as much, and the objects around them. */
function weight(document: StoredDocument): number {
  return document.bytes.length * 5 + 800
}
