import { deflateRawSync, gzipSync } from 'node:zlib'
import { box, heif, u32 } from './build-heif.ts'
import { jpeg } from './build-jpeg.ts'
import { png } from './build-png.ts'
import type { DamagedRow } from './damaged-row.ts'

const FILE_OF: readonly (readonly [string, () => Buffer])[] = [
  ['an SVG', () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')],
  ['an SVG with an XML declaration', () => Buffer.from('<?xml version="1.0"?>\n<svg/>')],
  ['an HTML page', () => Buffer.from('<!DOCTYPE html><script>alert(1)</script>')],
  ['a PDF', () => Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n', 'latin1')],
  [
    'a ZIP',
    () => Buffer.concat([Buffer.from('PK\x03\x04\x14\0\0\0\x08\0'), deflateRawSync('photo')]),
  ],
  ['a gzip file', () => gzipSync('photo')],
  ['a TIFF, little-endian', () => Buffer.from('II*\0\x08\0\0\0\0\0\0\0\0\0')],
  ['a TIFF, big-endian', () => Buffer.from('MM\0*\0\0\0\x08\0\0\0\0\0\0')],
  ['a BMP', () => Buffer.concat([Buffer.from('BM'), Buffer.alloc(60)])],
  ['an icon', () => Buffer.from('\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0')],
  ['a Photoshop file', () => Buffer.from('8BPS\0\x01\0\0\0\0\0\0\0\x03')],
  [
    'a JPEG XL codestream',
    () => Buffer.from([0xff, 0x0a, 0xfa, 0x7f, 0x01, 0x90, 0, 0, 0, 0, 0, 0, 0]),
  ],
  [
    'a JPEG XL container',
    () => Buffer.concat([box('JXL ', Buffer.from('\r\n\x87\n', 'latin1')), ftyp('jxl ')]),
  ],
  [
    'a JPEG 2000',
    () => Buffer.concat([box('jP  ', Buffer.from('\r\n\x87\n', 'latin1')), ftyp('jp2 ')]),
  ],
  ['a WAV file', () => Buffer.from('RIFF\x24\0\0\0WAVEfmt \x10\0\0\0')],
  ['a Windows program', () => Buffer.concat([Buffer.from('MZ'), Buffer.alloc(62)])],
  ['a Linux program', () => Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(57)])],
  ['an MP4', () => Buffer.concat([ftyp('isom', 'isom', 'iso2', 'avc1', 'mp41'), box('moov')])],
  [
    'an MP4 that claims to be HEIC too',
    () => Buffer.concat([ftyp('isom', 'isom', 'mp41', 'heic'), box('moov')]),
  ],
  [
    'a file that is MP4 first and HEIC second',
    () =>
      heif({
        brands: ['isom', 'heic'],
        items: [{ id: 1, type: 'hvc1', extents: [[0, 8]] }],
        media: Buffer.alloc(8),
      }),
  ],
  ['a QuickTime film', () => Buffer.concat([ftyp('qt  ', 'qt  '), box('wide')])],
  ['a raw photo of a camera in ISO-BMFF', () => ftyp('crx ', 'crx ', 'isom')],
  ['an AVIF sequence', () => ftyp('avis', 'avis', 'msf1', 'avif', 'mif1')],
  ['a HEVC sequence', () => ftyp('hevc', 'hevc', 'msf1', 'mif1')],
  ['a HEIF file that does not say how it is coded', () => ftyp('mif1', 'mif1', 'miaf')],
  ['a HEIF file coded as AVC', () => ftyp('avci', 'avci', 'mif1')],
  ['the letters ftyp at offset 4 and nothing else', () => Buffer.from('xxxxftyp')],
  ['plain text', () => Buffer.from('This is not a photo.\n')],
  ['zeros', () => Buffer.alloc(4096)],
  ['one byte', () => Buffer.from([0xff])],
  ['half a JPEG signature', () => Buffer.from([0xff, 0xd8])],
  ['half a PNG signature', () => Buffer.from('\x89PNG', 'latin1')],
  [
    'a PNG signature after a transfer as text',
    () => Buffer.from('\x89PNG\n\x1a\n\0\0\0\rIHDR', 'latin1'),
  ],
  ['a GIF of a version that never was', () => Buffer.from('GIF90a\x01\0\x01\0\0\0\0;')],
  [
    'a JPEG after a line of junk',
    () => Buffer.concat([Buffer.from('junk\n'), jpeg(Buffer.alloc(8))]),
  ],
  ['a JPEG after a zero byte', () => Buffer.concat([Buffer.alloc(1), jpeg(Buffer.alloc(8))])],
  ['a PNG after a byte order mark', () => Buffer.concat([Buffer.from('\ufeff'), png()])],
  ['a GIF behind a script', () => Buffer.from('#!/bin/sh\nGIF89a')],
]

function ftyp(major: string, ...compatible: readonly string[]): Buffer {
  return box('ftyp', major, u32(0), ...compatible)
}

/** Files that are no photo of the six formats, whatever their name says. */
export const mislabelled: readonly DamagedRow[] = [
  { name: 'an empty file', bytes: () => Buffer.alloc(0), code: 'file_empty' },
  ...FILE_OF.map(([name, bytes]): DamagedRow => ({ name, bytes, code: 'unsupported_image_type' })),
]
