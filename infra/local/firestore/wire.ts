import { isUtf8 } from 'node:buffer'
import { invalid } from './status.ts'

/*
 * The protobuf wire format (protobuf.dev/programming-guides/encoding): each field is a tag
 * (number << 3 | type) and a value; type 0 varint, 1 eight bytes, 2 length + bytes, 5 four bytes.
 */
const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/** Protobuf's own recursion limit; keeps hostile nesting from exhausting the stack. */
const MAX_DEPTH = 100

const malformed = () => invalid('The request is not valid protobuf.')

/** Walks the fields of one message: `while (r.next()) switch (r.field) …`. Throws INVALID_ARGUMENT on malformed bytes. */
export class Reader {
  field = 0
  #type = 0
  #at: number
  readonly #buffer: Buffer
  readonly #end: number
  readonly #depth: number

  constructor(buffer: Buffer, start = 0, end = buffer.length, depth = 0) {
    if (depth > MAX_DEPTH) throw invalid('The request is nested too deeply.')
    this.#buffer = buffer
    this.#at = start
    this.#end = end
    this.#depth = depth
  }

  next(): boolean {
    if (this.#at >= this.#end) return false
    const tag = this.#varint()
    this.field = Math.floor(tag / 8)
    this.#type = tag % 8
    return true
  }

  bool(): boolean {
    return this.int64() !== 0n
  }

  int32(): number {
    return Number(BigInt.asIntN(32, this.int64()))
  }

  int64(): bigint {
    this.#expect(VARINT)
    const start = this.#at
    const small = this.#shortVarint()
    if (small >= 0) return BigInt(small)
    this.#at = start
    return this.#longVarint()
  }

  double(): number {
    this.#expect(FIXED64)
    const at = this.#advance(8)
    return this.#buffer.readDoubleLE(at)
  }

  string(): string {
    const [start, end] = this.#span()
    const slice = this.#buffer.subarray(start, end)
    if (!isUtf8(slice)) throw malformed()
    return slice.toString('utf8')
  }

  bytes(): Buffer {
    const [start, end] = this.#span()
    return this.#buffer.subarray(start, end)
  }

  message(): Reader {
    const [start, end] = this.#span()
    return new Reader(this.#buffer, start, end, this.#depth + 1)
  }

  skip(): void {
    if (this.#type === VARINT) this.int64()
    else if (this.#type === FIXED64) this.#advance(8)
    else if (this.#type === BYTES) this.#span()
    else if (this.#type === FIXED32) this.#advance(4)
    else throw malformed()
  }

  #expect(type: number): void {
    if (this.#type !== type) throw malformed()
  }

  #advance(bytes: number): number {
    const at = this.#at
    if (bytes > this.#end - at) throw malformed()
    this.#at = at + bytes
    return at
  }

  #span(): [number, number] {
    this.#expect(BYTES)
    const length = this.#varint()
    const start = this.#advance(length)
    return [start, start + length]
  }

  /** A varint of at most four bytes, or -1 when it is longer. */
  #shortVarint(): number {
    let result = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#buffer[this.#advance(1)] ?? 0
      result |= (byte & 0x7f) << shift
      if (byte < 0x80) return result
    }
    return -1
  }

  #longVarint(): bigint {
    let result = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#buffer[this.#advance(1)] ?? 0
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, result)
    }
    throw malformed()
  }

  #varint(): number {
    const start = this.#at
    const small = this.#shortVarint()
    if (small >= 0) return small
    this.#at = start
    const long = this.#longVarint()
    if (long < 0n || long > 0xffff_ffffn) throw malformed()
    return Number(long)
  }
}

/** Appends fields to a growing buffer; nested messages are written in place and get their length afterwards. */
export class Writer {
  #buffer: Buffer
  #length = 0

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafe(capacity)
  }

  /** A copy of what was written. */
  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length))
  }

  bool(field: number, value: boolean): this {
    return this.#tag(field, VARINT).#varint(value ? 1 : 0)
  }

  int64(field: number, value: bigint): this {
    this.#tag(field, VARINT)
    if (value >= 0n && value < 0x7fff_ffffn) return this.#varint(Number(value))
    let rest = BigInt.asUintN(64, value)
    while (rest > 0x7fn) {
      this.#byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    return this.#byte(Number(rest))
  }

  double(field: number, value: number): this {
    this.#tag(field, FIXED64)
    this.#reserve(8)
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
    return this
  }

  string(field: number, value: string): this {
    const bytes = Buffer.byteLength(value)
    this.#tag(field, BYTES).#varint(bytes)
    this.#reserve(bytes)
    this.#length += this.#buffer.write(value, this.#length)
    return this
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, BYTES).#varint(value.length)
    return this.raw(value)
  }

  /** Bytes that already are encoded fields. */
  raw(value: Uint8Array): this {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
    return this
  }

  message(field: number, write: (writer: this) => void): this {
    this.#tag(field, BYTES)
    const start = this.#length
    this.#byte(0)
    write(this)
    const size = this.#length - start - 1
    if (size < 0x80) this.#buffer[start] = size
    else this.#insertLength(start, size)
    return this
  }

  /** One byte was kept free for the length; longer ones move the content. */
  #insertLength(start: number, size: number): void {
    let extra = 0
    for (let rest = size; rest >= 0x80; rest = Math.floor(rest / 128)) extra += 1
    this.#reserve(extra)
    this.#buffer.copyWithin(start + 1 + extra, start + 1, start + 1 + size)
    this.#length = start
    this.#varint(size)
    this.#length += size
  }

  #tag(field: number, type: number): this {
    return this.#varint(field * 8 + type)
  }

  #varint(value: number): this {
    let rest = value
    while (rest >= 0x80) {
      this.#byte((rest % 128) | 0x80)
      rest = Math.floor(rest / 128)
    }
    return this.#byte(rest)
  }

  #byte(value: number): this {
    this.#reserve(1)
    this.#buffer[this.#length] = value
    this.#length += 1
    return this
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
