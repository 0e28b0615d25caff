internal import Crypto
internal import DTXCore
internal import DTXLinux

/// The key that a user's receipts are signed with: Ed25519 (RFC 8032), made at first use.
///
/// The private half lies in `identity` of the user's configuration directory and is read by nobody
/// else; `identity.pub` beside it is for those who are to check receipts.
struct SigningKey: Sendable {
  private static let name = Array("identity".utf8)
  private static let publicName = Array("identity.pub".utf8)
  private static let privateTag = "dtx-ed25519-private"

  private let key: Curve25519.Signing.PrivateKey

  /// The public half, 32 bytes.
  var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

  /// Signs bytes.
  ///
  /// - Parameter bytes: all that the signature is to cover.
  /// - Returns: 64 bytes; nil when the library refuses, which it has no reason to.
  func sign(_ bytes: [UInt8]) -> [UInt8]? {
    (try? key.signature(for: bytes)).map { Array($0) }
  }

  /// Reads this user's key, and makes it where there is none.
  ///
  /// - Returns: the key.
  /// - Throws: why it cannot be had; a transfer goes on without it.
  static func ofUser() throws(TransferError) -> SigningKey {
    guard let place = UserDirectory.configuration else {
      throw TransferError(.failed, "there is no key to sign with", cause: "the user has no home")
    }
    guard let directory = try UserDirectory.make(place) else {
      throw TransferError(.failed, "\(printable(place)) cannot be made")
    }
    let key = try TransferError.unless("there is no key to sign with") {
      () throws(SystemError) -> SigningKey? in
      if try directory.statusIfPresent(of: name) == nil { try make(in: directory) }
      return try read(directory)
    }
    if let key { return key }
    throw TransferError(
      .failed,
      "\(printable(directory.path))/identity is not used to sign with",
      cause: "it is no key, or others than you can read it",
      remedy: "move it away, and a new one is made, or restore its owner and mode 0600"
    )
  }

  /// Nil where the file is open to others, or is no key.
  private static func read(_ directory: Directory) throws(SystemError) -> SigningKey? {
    let file = try directory.openFile(name, .read)
    let status = try file.status()
    guard status.kind == .regular, status.mode & 0o077 == 0,
      status.userID == Host.effectiveUserID
    else { return nil }
    let text = String(decoding: try file.read(byteCount: 256, at: 0), as: UTF8.self)
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 2, words[0] == privateTag, let bytes = PublicKeyText.bytes(words[1]),
      let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
    else { return nil }
    return SigningKey(key: key)
  }

  /// Makes a key; of two that are made at once the first one stays.
  private static func make(in directory: Directory) throws(SystemError) {
    let key = Curve25519.Signing.PrivateKey()
    let host = "\(Host.processID)@\(Host.hostName)"
    let partial = Array("identity.\(host)".utf8)
    let line = "\(privateTag) \(PublicKeyText.hex(Array(key.rawRepresentation)))\n"
    try directory.write(Array(line.utf8), as: partial, permissions: 0o600)
    defer { try? directory.unlink(partial) }
    do throws(SystemError) {
      try directory.makeHardLink(name, to: partial)
    } catch {
      guard error.isPresence else { throw error }
      return
    }
    let open = PublicKeyText(Array(key.publicKey.rawRepresentation)).line(host: Host.hostName)
    try directory.replace(publicName, with: Array(open.utf8), permissions: 0o644)
  }
}

/// A public key as a line of text: `dtx-ed25519`, 64 hexadecimal digits, and a comment.
package struct PublicKeyText: Equatable, Sendable {
  private static let tag = "dtx-ed25519"

  /// 32 bytes.
  package let key: [UInt8]

  package init(_ key: [UInt8]) {
    self.key = key
  }

  /// Reads a file of one key.
  ///
  /// - Parameter path: as `identity.pub` is written.
  /// - Throws: `.failed` when it cannot be read or is no public key.
  package init(path: [UInt8]) throws(TransferError) {
    let bytes = try TransferError.unless("key \(printable(path)) cannot be read") {
      () throws(SystemError) in try File.open(path, .read).read(byteCount: 4096, at: 0)
    }
    let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard words.count >= 2, words[0] == PublicKeyText.tag, let key = PublicKeyText.bytes(words[1])
    else {
      throw TransferError(
        .failed,
        "\(printable(path)) is no public key of dtx's",
        cause: "it does not begin with \(PublicKeyText.tag) and 64 hexadecimal digits",
        remedy: "name the file identity.pub of the end that signed"
      )
    }
    self.key = key
  }

  /// This user's own public key; nil where none was made yet.
  package static var ofUser: PublicKeyText? {
    guard let place = UserDirectory.configuration else { return nil }
    return try? PublicKeyText(path: place + Array("/identity.pub".utf8))
  }

  func line(host: String) -> String {
    "\(PublicKeyText.tag) \(PublicKeyText.hex(key)) \(printable(Array(host.utf8)))\n"
  }

  /// The key in hexadecimal digits.
  package var hexadecimal: String { PublicKeyText.hex(key) }

  static func hex(_ bytes: [UInt8]) -> String {
    Digest(bytes: bytes).hex(bytes.count)
  }

  /// 32 bytes from 64 hexadecimal digits; nil for anything else.
  static func bytes(_ digits: Substring) -> [UInt8]? {
    let digits = Array(digits.utf8)
    guard digits.count == 64, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) else {
      return nil
    }
    return stride(from: 0, to: 64, by: 2).map { index in
      UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) ?? 0
    }
  }
}
