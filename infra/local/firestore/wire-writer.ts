/** Up to here characters are stored one by one, which is cheaper than two calls out of JavaScript. */
const SHORT_TEXT = 40

const VARINT = 0
const FIXED64 = 1
const BYTES = 2

/** Appends fields to a growing buffer; nested messages are written in place and get their length afterwards. */
export class Writer {
  #buffer: Buffer
  #length = 0

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafe(capacity)
  }

  /** Forgets what was written, to write something else. */
  clear(): this {
    this.#length = 0
    return this
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

  /** A whole number, exact as a double. */
  int(field: number, value: number): this {
    if (value < 0) return this.int64(field, BigInt(value))
    return this.#tag(field, VARINT).#varint(value)
  }

  double(field: number, value: number): this {
    this.#tag(field, FIXED64)
    this.#reserve(8)
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
    return this
  }

  string(field: number, value: string): this {
    this.#tag(field, BYTES)
    if (value.length <= SHORT_TEXT && this.#ascii(value)) return this
    const bytes = Buffer.byteLength(value)
    this.#varint(bytes)
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
    const start = this.open(field)
    write(this)
    return this.close(start)
  }

  /** Starts a nested message; what is written until `close` is its content. */
  open(field: number): number {
    this.#tag(field, BYTES)
    this.#byte(0)
    return this.#length - 1
  }

  /** Ends the nested message that `open` started there. */
  close(start: number): this {
    const size = this.#length - start - 1
    if (size < 0x80) this.#buffer[start] = size
    else this.#insertLength(start, size)
    return this
  }

  /** Length and characters of a short text, as long as they are ASCII. */
  #ascii(value: string): boolean {
    const length = value.length
    this.#reserve(length + 1)
    const start = this.#length + 1
    for (let i = 0; i < length; i += 1) {
      const code = value.charCodeAt(i)
      if (code >= 0x80) return false
      this.#buffer[start + i] = code
    }
    this.#buffer[start - 1] = length
    this.#length = start + length
    return true
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
