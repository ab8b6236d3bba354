/** PKCS#12, which Node reads (`pfx`) and does not write. Source: RFC 7292. */
import { createHash, createHmac, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { type Identity } from './certificates.ts'

/** A certificate and its key in one file, under a passphrase. */
export function pkcs12Of({ cert, key }: Identity, passphrase: string): Buffer {
  const shrouded = createPrivateKey(key).export({
    ...({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc' } as const),
    passphrase,
  })
  const certificate = sequence(oid('1.2.840.113549.1.9.22.1'), explicit(octets(rawOf(cert))))
  const bags = sequence(
    sequence(oid('1.2.840.113549.1.12.10.1.2'), explicit(shrouded)),
    sequence(oid('1.2.840.113549.1.12.10.1.3'), explicit(certificate)),
  )
  const content = sequence(dataOf(bags))
  const salt = randomBytes(8)
  const mac = createHmac('sha256', macKeyOf(passphrase, salt)).update(content).digest()
  const digest = sequence(sequence(oid('2.16.840.1.101.3.4.2.1'), der(0x05)), octets(mac))
  return sequence(integer(3), dataOf(content), sequence(digest, octets(salt), integer(iterations)))
}

const iterations = 100
const macKey = 3

/** RFC 7292, appendix B.2, for as many bytes as one hash has. */
function macKeyOf(passphrase: string, salt: Buffer): Buffer {
  const name = Buffer.from(`${passphrase}\0`, 'utf16le').swap16()
  let hash = Buffer.concat([Buffer.alloc(64, macKey), blocksOf(salt), blocksOf(name)])
  for (let round = 0; round < iterations; round++) {
    hash = createHash('sha256').update(hash).digest()
  }
  return hash
}

/** Repeated until it fills blocks of 64 bytes. */
function blocksOf(bytes: Buffer): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / 64) * 64, bytes)
}

function rawOf(cert: string): Buffer {
  return new X509Certificate(cert).raw
}

function dataOf(content: Buffer): Buffer {
  return sequence(oid('1.2.840.113549.1.7.1'), explicit(octets(content)))
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts)
const explicit = (part: Buffer) => der(0xa0, part)
const octets = (bytes: Buffer) => der(0x04, bytes)
const integer = (value: number) => der(0x02, Buffer.of(value))

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const digits = (value: number): number[] => {
    return value < 128 ? [value] : [...digits(value >> 7).map((d) => d | 128), value & 127]
  }
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(digits)]))
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const { length } = body
  const size =
    length < 128 ? [length] : length < 256 ? [129, length] : [130, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}
