/** Authorities and certificates for tests, made afresh: nothing secret is checked in, and none expires. */
import 'reflect-metadata' // the library below needs it
import { randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import {
  BasicConstraintsExtension,
  type Extension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type GeneralNameType,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
  X509CrlReason,
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
  /** Days from now until it begins; by default it has, ten days ago. */
  readonly daysUntilValid?: number
  /** What it may be used for. By default both. */
  readonly usage?: 'server' | 'client'
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
    const cert = await certify({
      ...{ subject: issuer, issuer, keys, signer: keys, extensions },
      ...{ days: 1, daysUntilValid: -10 },
    })
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
    daysUntilValid = -10,
    usage,
  }: CertificateOptions): Promise<Identity> {
    const keys = await newKeys()
    const names = hosts.map((value) => ({ type: nameTypeOf(value), value }))
    const { serverAuth, clientAuth } = ExtendedKeyUsage
    const usages = { server: [serverAuth], client: [clientAuth] }
    const extensions: Extension[] = [
      new ExtendedKeyUsageExtension(usage === undefined ? [serverAuth, clientAuth] : usages[usage]),
    ]
    if (names.length > 0) extensions.push(new SubjectAlternativeNameExtension(names))
    const issuer = `CN=${this.#name}`
    const cert = await certify({
      ...{ subject, issuer, keys, signer: this.#keys, extensions },
      ...{ days, daysUntilValid },
    })
    return { cert, key: await privateKeyOf(keys) }
  }

  /** A list of certificates that are not valid any more, as PEM. */
  async revoke(...revoked: readonly Identity[]): Promise<string> {
    const crl = await X509CrlGenerator.create(
      {
        issuer: `CN=${this.#name}`,
        thisUpdate: new Date(Date.now() - dayMs),
        nextUpdate: new Date(Date.now() + dayMs),
        entries: revoked.map(({ cert }) => ({
          serialNumber: new X509Certificate(cert).serialNumber,
          revocationDate: new Date(Date.now() - dayMs),
          reason: X509CrlReason.keyCompromise,
        })),
        signingKey: this.#keys.privateKey,
        signingAlgorithm: algorithm,
      },
      webcrypto,
    )
    return crl.toString('pem').replaceAll(' CRL-----', ' X509 CRL-----') // as OpenSSL calls it
  }
}

interface Certification {
  readonly subject: string
  readonly issuer: string
  readonly keys: Keys
  readonly signer: Keys
  readonly days: number
  readonly daysUntilValid: number
  readonly extensions: Extension[]
}

async function certify({
  subject,
  issuer,
  keys,
  signer,
  days,
  daysUntilValid,
  extensions,
}: Certification) {
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: `01${randomBytes(8).toString('hex')}`,
      subject,
      issuer,
      notBefore: new Date(Date.now() + daysUntilValid * dayMs),
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
