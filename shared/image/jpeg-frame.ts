import { damaged } from './photo-walk.ts'

/** The frame header of a JPEG and the scans that must fit it (ITU-T T.81 B.2.2 to B.2.5). */
export class JpegFrame {
  #components: readonly number[] | undefined
  #width = 0
  #height = 0
  #scans = 0

  get width(): number {
    return this.#width
  }

  get height(): number {
    return this.#height
  }

  /** Height 0 in the frame header: a DNL segment after the first scan says it. */
  get linesUnknown(): boolean {
    return this.#components !== undefined && this.#height === 0 && this.#width > 0
  }

  /** Both sides of a JPEG that is at its end; throws `image_damaged` where it has no frame or no scan. */
  get dimensions(): { width: number; height: number } {
    if (this.#scans === 0) throw damaged('The JPEG has no image.')
    if (this.linesUnknown) throw damaged('The JPEG does not say its height.')
    return { width: this.#width, height: this.#height }
  }

  /** SOFn: precision | height | width | count of components | count × (id, sampling, table). */
  begin(content: Buffer): void {
    if (this.#components !== undefined) throw damaged('The JPEG has two frames.')
    const count = content.length < 6 ? 0 : content.readUInt8(5)
    if (count < 1 || count > 4 || content.length !== 6 + 3 * count) {
      throw damaged('The frame header of the JPEG is damaged.')
    }
    this.#height = content.readUInt16BE(1)
    this.#width = content.readUInt16BE(3)
    this.#components = Array.from({ length: count }, (_, at) => content.readUInt8(6 + 3 * at))
  }

  /** SOS: count of components | count × (id, tables) | three bytes of spectral selection. */
  scan(content: Buffer): void {
    if (this.#components === undefined) throw damaged('The JPEG has a scan before its frame.')
    const count = content.length < 1 ? 0 : content.readUInt8(0)
    if (count < 1 || count > this.#components.length || content.length !== 4 + 2 * count) {
      throw damaged('A scan header of the JPEG is damaged.')
    }
    for (let at = 1; at < 1 + 2 * count; at += 2) {
      if (!this.#components.includes(content.readUInt8(at))) {
        throw damaged('A scan of the JPEG names a component that its frame has not.')
      }
    }
    this.#scans += 1
  }

  /** DNL: the number of lines, after the first scan. */
  lines(content: Buffer): void {
    const height = content.length === 2 ? content.readUInt16BE(0) : 0
    if (this.#scans !== 1 || height === 0 || (this.#height !== 0 && this.#height !== height)) {
      throw damaged('The JPEG says two heights.')
    }
    this.#height = height
  }
}
