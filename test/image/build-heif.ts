/** A box: size, type, content. */
export function box(type: string, ...content: readonly (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => Buffer.from(part)))
  const head = Buffer.alloc(8)
  head.writeUInt32BE(8 + bytes.length, 0)
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, bytes])
}

/** A box with version and no flags. */
export function fullBox(type: string, version: number, ...content: readonly Buffer[]): Buffer {
  return box(type, Buffer.from([version, 0, 0, 0]), ...content)
}

export function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length)
  for (const [at, value] of values.entries()) bytes.writeUInt16BE(value, 2 * at)
  return bytes
}

export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * at)
  return bytes
}

export type ItemSpec = {
  readonly id: number
  readonly type: string
  readonly name?: string
  /** 0 in the file, 1 in `idat`. */
  readonly method?: number
  /** Start and length of each extent; in the file, counted from the beginning of `mdat`'s content. */
  readonly extents: readonly (readonly [number, number])[]
}

export type HeifSpec = {
  /** Name of the handler. */
  readonly handler?: string
  readonly brands?: readonly string[]
  readonly items: readonly ItemSpec[]
  readonly references?: readonly Buffer[]
  /** What `ipco` holds; `ispe` of 64 by 64 by default. */
  readonly properties?: readonly Buffer[]
  /** Item and property numbers; property 1 of item 1 by default. */
  readonly associations?: readonly (readonly [number, readonly number[]])[]
  /** Further boxes in `meta`. */
  readonly inMeta?: readonly Buffer[]
  readonly idat?: Buffer
  /** Content of `mdat`. */
  readonly media: Buffer
  /** Boxes between `meta` and `mdat`, and after it. */
  readonly between?: readonly Buffer[]
  readonly after?: readonly Buffer[]
}

export function ispe(width = 64, height = 64): Buffer {
  return fullBox('ispe', 0, u32(width, height))
}

/** A HEIF file as the specification says, with offsets worked out. */
export function heif(spec: HeifSpec): Buffer {
  const brands = spec.brands ?? ['heic', 'mif1', 'heic']
  const ftyp = box('ftyp', brands[0] ?? '', u32(0), ...brands.slice(1))
  const between = Buffer.concat(spec.between ?? [])
  const metaBytes = meta(spec, 0).length
  const mediaAt = ftyp.length + metaBytes + between.length + 8
  return Buffer.concat([
    ftyp,
    meta(spec, mediaAt),
    between,
    box('mdat', spec.media),
    ...(spec.after ?? []),
  ])
}

function meta(spec: HeifSpec, mediaAt: number): Buffer {
  const entries = spec.items.map(({ id, type, name = '' }) =>
    fullBox('infe', 2, u16(id, 0), Buffer.from(`${type}${name}\0`)),
  )
  const associations = spec.associations ?? [[1, [1]]]
  const parts = [
    fullBox(
      'hdlr',
      0,
      u32(0),
      Buffer.from('pict'),
      Buffer.alloc(12),
      Buffer.from(`${spec.handler ?? ''}\0`),
    ),
    fullBox('pitm', 0, u16(1)),
    fullBox('iinf', 0, u16(entries.length), ...entries),
    fullBox(
      'iloc',
      1,
      u16(0x4400, spec.items.length),
      ...spec.items.map((i) => location(i, mediaAt)),
    ),
    box(
      'iprp',
      box('ipco', ...(spec.properties ?? [ispe()])),
      fullBox(
        'ipma',
        0,
        u32(associations.length),
        ...associations.map(([id, list]) =>
          Buffer.concat([u16(id), Buffer.from([list.length, ...list])]),
        ),
      ),
    ),
    ...(spec.references === undefined ? [] : [fullBox('iref', 0, ...spec.references)]),
    ...(spec.idat === undefined ? [] : [box('idat', spec.idat)]),
    ...(spec.inMeta ?? []),
  ]
  return fullBox('meta', 0, ...parts)
}

function location({ id, method = 0, extents }: ItemSpec, mediaAt: number): Buffer {
  const base = method === 0 ? mediaAt : 0
  return Buffer.concat([
    u16(id, method, 0, extents.length),
    ...extents.map(([start, length]) => u32(base + start, length)),
  ])
}

/** `iref` entry: what `from` is to each of `to`. */
export function reference(type: string, from: number, ...to: readonly number[]): Buffer {
  return box(type, u16(from, to.length, ...to))
}
