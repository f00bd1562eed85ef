/**
 * `inline` with a file name (RFC 6266): an ASCII one that every client reads, and the whole one as RFC 8187 has it.
 * Nothing of the name can end the header or the quotes (DL-02).
 */
export function inlineDisposition(fileName: string): string {
  const ascii = fileName
    .normalize('NFKD')
    .replace(/[^ !#-&(-[\]-~]/g, '')
    .replace(/%/g, '')
    .trim()
  const encoded = encodeURIComponent(fileName.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `inline; filename="${ascii === '' ? 'photo' : ascii}"; filename*=UTF-8''${encoded}`
}
