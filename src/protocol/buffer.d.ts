/**
 * The part of Node's `Buffer` that `src/protocol` and `src/session` may use: documented methods that
 * compute. Those layers are compiled with this file in place of Node's types, so a timer, a socket or
 * a hash in them is a compile error. Every other program sees Node's own declaration.
 */
declare class Buffer extends Uint8Array<ArrayBufferLike> {
  static allocUnsafe(size: number): Buffer
  static allocUnsafeSlow(size: number): Buffer
  static alloc(size: number): Buffer
  static from(bytes: Uint8Array | readonly number[]): Buffer
  static from(arrayBuffer: ArrayBufferLike, byteOffset: number, length: number): Buffer
  static from(text: string, encoding: 'utf8' | 'latin1' | 'hex'): Buffer
  static byteLength(text: string, encoding: 'utf8'): number
  copy(target: Uint8Array, targetStart: number, sourceStart: number, sourceEnd: number): number
  override subarray(start?: number, end?: number): Buffer
  write(text: string, offset: number, encoding: 'utf8' | 'latin1'): number
  override toString(encoding?: 'utf8' | 'latin1' | 'hex', start?: number, end?: number): string
  equals(other: Uint8Array): boolean
}
