import type { HeifItem, HeifReference } from './heif-items.ts'
import type { ItemUse } from './heif-locations.ts'
import { damaged } from './photo-walk.ts'

/** Images coded by themselves, and images made of others. Any other item is not needed to show the photo. */
const CODED = new Set(['hvc1', 'lhv1', 'hvt1', 'av01'])
const DERIVED = new Set(['grid', 'iden', 'iovl', 'tmap'])

/** Images made of images made of images: deeper than this is an attack (security UP-06). */
const MAX_DEPTH = 16

/** Which items of a HEIF file are the photo, and which are its thumbnails or metadata. */
export class HeifGraph {
  readonly #items: ReadonlyMap<number, HeifItem>
  readonly #inputs = new Map<number, readonly number[]>()
  readonly #removed = new Set<number>()
  readonly #depths = new Map<number, number>()

  constructor(
    items: ReadonlyMap<number, HeifItem>,
    references: readonly HeifReference[],
    primary: number,
  ) {
    this.#items = items
    for (const { type, from, to } of references) {
      if (type !== 'dimg') continue
      if (this.#inputs.has(from)) throw damaged('An image of the file is made twice.')
      this.#inputs.set(from, to)
    }
    for (const id of this.#inputs.keys()) this.#depth(id)
    this.#remove(references, primary)
    if (!this.stays(primary)) throw damaged('The file has no image that can be shown.')
    this.#checkInputs()
  }

  /** Whether the item belongs to the photo. */
  stays(id: number): boolean {
    return this.#items.has(id) && !this.#removed.has(id)
  }

  /** What the item's bytes are for. */
  useOf(id: number): ItemUse {
    const type = this.#items.get(id)?.type
    if (this.stays(id)) return type === 'grid' ? 'grid' : 'pixels'
    return type === 'Exif' ? 'exif' : 'nothing'
  }

  /** Whether the item has bytes: all images but those that only turn or crop another one. */
  hasBytes(id: number): boolean {
    return this.#items.get(id)?.type !== 'iden'
  }

  /** How many images an image is made of. */
  inputsOf(id: number): number {
    return this.#inputs.get(id)?.length ?? 0
  }

  /** The images that are not part of another one. */
  get whole(): number[] {
    const parts = new Set([...this.#inputs.values()].flat())
    return [...this.#items.keys()].filter((id) => this.stays(id) && !parts.has(id))
  }

  /** How the pixels of an image are coded: the type of its first coded part. */
  codingOf(id: number): string | undefined {
    const type = this.#items.get(id)?.type ?? ''
    if (!DERIVED.has(type)) return type
    const [first] = this.#inputs.get(id) ?? []
    return first === undefined ? undefined : this.codingOf(first)
  }

  /** Takes out what is no image, thumbnails, and what only they are made of or have as alpha. */
  #remove(references: readonly HeifReference[], primary: number): void {
    for (const { id, type } of this.#items.values()) {
      if (!CODED.has(type) && !DERIVED.has(type)) this.#removed.add(id)
    }
    for (const { type, from } of references) {
      if (type === 'thmb' && from !== primary) this.#removed.add(from)
    }
    const users = usersOf(references)
    users.delete(primary)
    for (let before = -1; before !== this.#removed.size; ) {
      before = this.#removed.size
      this.#removeUseless(users)
    }
  }

  #removeUseless(users: ReadonlyMap<number, readonly number[]>): void {
    for (const [id, of] of users) {
      if (of.every((user) => this.#removed.has(user))) this.#removed.add(id)
    }
  }

  #checkInputs(): void {
    for (const [id, inputs] of this.#inputs) {
      if (this.stays(id) && !inputs.every((input) => this.stays(input))) {
        throw damaged('A part of an image in the file is missing.')
      }
    }
  }

  /** How many images lie below each other from `id` on; `above` it is how many the walk came through. */
  #depth(id: number, above = 0): number {
    if (above > MAX_DEPTH) throw damaged('An image of the file is made of too many.')
    const known = this.#depths.get(id)
    if (known !== undefined) return known
    const inputs = this.#inputs.get(id) ?? []
    const depth = 1 + Math.max(0, ...inputs.map((input) => this.#depth(input, above + 1)))
    if (depth > MAX_DEPTH) throw damaged('An image of the file is made of too many.')
    this.#depths.set(id, depth)
    return depth
  }
}

/** For each item, those that it is a part of or the alpha of. */
function usersOf(references: readonly HeifReference[]): Map<number, number[]> {
  const users = new Map<number, number[]>()
  const add = (id: number, user: number): void => {
    const of = users.get(id)
    if (of === undefined) users.set(id, [user])
    else of.push(user)
  }
  for (const { type, from, to } of references) {
    for (const id of to) {
      if (type === 'dimg') add(id, from)
      else if (type === 'auxl') add(from, id)
    }
  }
  return users
}
