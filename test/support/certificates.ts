/** Authorities and certificates for tests, made afresh: nothing secret is checked in, and none expires. */
import 'reflect-metadata' // the library below needs it
import { randomBytes, webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  type Extension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type GeneralNameType,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { isIP } from 'node:net'

/** A certificate and its private key (PKCS#8), as PEM. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

export interface CertificateOptions {
  /** In the order of the certificate: `O=Test, CN=client`. */
  readonly subject?: string
  /** Host names and addresses it is for. */
  readonly hosts?: readonly string[]
  /** Days from now until it ends; negative for one that has expired. */
  readonly days?: number
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const dayMs = 86_400_000

type Keys = webcrypto.CryptoKeyPair

export class Authority {
  /** What clients and servers are told to trust, as PEM. */
  readonly cert: string
  readonly #name: string
  readonly #keys: Keys

  static async create(name = 'Test authority'): Promise<Authority> {
    const keys = await newKeys()
    const issuer = `CN=${name}`
    const extensions = [new BasicConstraintsExtension(true, undefined, true)]
    const cert = await certify({ subject: issuer, issuer, keys, signer: keys, days: 1, extensions })
    return new Authority(name, keys, cert)
  }

  private constructor(name: string, keys: Keys, cert: string) {
    this.#name = name
    this.#keys = keys
    this.cert = cert
  }

  async issue({
    subject = 'CN=test',
    hosts = [],
    days = 1,
  }: CertificateOptions): Promise<Identity> {
    const keys = await newKeys()
    const names = hosts.map((value) => ({ type: nameTypeOf(value), value }))
    const extensions: Extension[] = [
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    ]
    if (names.length > 0) extensions.push(new SubjectAlternativeNameExtension(names))
    const issuer = `CN=${this.#name}`
    const cert = await certify({ subject, issuer, keys, signer: this.#keys, days, extensions })
    return { cert, key: await privateKeyOf(keys) }
  }
}

interface Certification {
  readonly subject: string
  readonly issuer: string
  readonly keys: Keys
  readonly signer: Keys
  readonly days: number
  readonly extensions: Extension[]
}

async function certify({ subject, issuer, keys, signer, days, extensions }: Certification) {
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: `01${randomBytes(8).toString('hex')}`,
      subject,
      issuer,
      notBefore: new Date(Date.now() - 10 * dayMs),
      notAfter: new Date(Date.now() + days * dayMs),
      publicKey: keys.publicKey,
      signingKey: signer.privateKey,
      signingAlgorithm: algorithm,
      extensions,
    },
    webcrypto,
  )
  return certificate.toString('pem')
}

async function newKeys(): Promise<Keys> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

async function privateKeyOf({ privateKey }: Keys): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey))
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n')
}

function nameTypeOf(host: string): GeneralNameType {
  return isIP(host) === 0 ? 'dns' : 'ip'
}
