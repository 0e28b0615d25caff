import DTXCore
import DTXLinux

@testable import DTXEngine

/// What tests of lanes share.
enum LaneFixtures {
  static let sessionID: [UInt8] = Array(0x10..<0x20)

  /// The secret of the golden vectors: bytes 0 to 31.
  static var secret: SessionSecret {
    var bytes: [UInt8] = Array(0..<32)
    return SessionSecret(wiping: &bytes)
  }

  static let identity = LaneIdentity(lane: 7, number: 0x0102_0304)

  static func directionalSecret(_ first: UInt8 = 1) -> DirectionalSecret {
    DirectionalSecret(bytes: (0..<32).map { first &+ $0 })
  }

  /// A request with its code, as an initiator would send it.
  static func request(
    sessionID: [UInt8] = sessionID,
    lane: UInt16 = 7,
    number: UInt32 = 1,
    cipher: UInt8 = Cipher.aes256GCM.rawValue,
    secret: SessionSecret = secret
  ) -> [UInt8] {
    let request = OpeningRequest(
      sessionID: sessionID,
      lane: lane,
      number: number,
      cipher: cipher,
      nonce: randomBytes(LaneOpening.nonceByteCount)
    )
    let covered = request.encoded()
    return covered + OpeningCode(secret, .initiator).code(of: covered)
  }
}

extension RecordSealer {
  /// A record of its own bytes.
  func record(_ type: RecordType, _ payload: [UInt8]) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: RecordSealer.headerByteCount) + payload
    let tail = RecordLayout.sealedByteCount(payloadByteCount: payload.count) - payload.count
    bytes += [UInt8](repeating: 0, count: tail)
    let byteCount = bytes.withUnsafeMutableBytes { buffer in
      seal(type, payloadByteCount: payload.count, in: buffer)
    }
    precondition(byteCount == bytes.count, "a record of \(byteCount) bytes")
    return bytes
  }
}

/// What came out of one record.
struct PlainRecord: Equatable {
  var type: RecordType
  var payload: [UInt8]
}

extension RecordOpener {
  /// Opens the record that the bytes begin with, as from a stream that goes on with zeros.
  func plain(_ record: [UInt8]) throws(RecordError) -> PlainRecord {
    var bytes = record
    let (type, payloadByteCount) = try plain(&bytes)
    let start = RecordSealer.headerByteCount
    return PlainRecord(type: type, payload: Array(bytes[start..<start + payloadByteCount]))
  }

  /// The same in place.
  func plain(_ bytes: inout [UInt8]) throws(RecordError) -> (RecordType, payloadByteCount: Int) {
    let header = bytes + [UInt8](repeating: 0, count: RecordSealer.headerByteCount)
    let parsed = try header.span.withUnsafeBytes { buffer throws(RecordError) in
      try self.header(buffer)
    }
    let byteCount = RecordLayout.byteCount(payloadByteCount: parsed.payloadByteCount)
    bytes += [UInt8](repeating: 0, count: max(0, byteCount - bytes.count))
    var span = bytes.mutableSpan
    try span.withUnsafeMutableBytes { buffer throws(RecordError) in
      let sealed = UnsafeMutableRawBufferPointer(
        rebasing: buffer[RecordLayout.headerByteCount...]
      )
      try open(parsed.0, payloadByteCount: parsed.payloadByteCount, in: sealed)
    }
    return parsed
  }
}

/// Work on a thread of its own, for one end of a connection while the test plays the other.
final class Background<Value: Sendable>: Sendable {
  private let box = Guarded<Value?>(nil)
  private let thread: Thread

  init(_ body: @escaping @Sendable () -> Value) throws {
    let box = box
    thread = try Thread(name: "background") {
      let value = body()
      box.withLock { $0 = value }
    }
  }

  /// Waits for the end of the work.
  func value() throws -> Value {
    thread.join()
    guard let value = box.withLock({ $0 }) else { throw Missing() }
    return value
  }

  private struct Missing: Error {}
}

extension Socket {
  /// Receives so many bytes, or fewer when the other end closes first.
  func bytes(_ byteCount: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    var filled = 0
    while filled < byteCount {
      var span = bytes.mutableSpan
      let received = try span.withUnsafeMutableBytes { buffer throws(SystemError) in
        try receiveSome(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
      }
      if received == 0 { break }
      filled += received
    }
    return Array(bytes[..<filled])
  }

  /// Whether the other end closes without having sent a byte; waits until it does one or the other.
  ///
  /// A reset counts: it is what follows when bytes were under way to a socket that was closed.
  func endsInSilence() -> Bool {
    do throws(SystemError) {
      return try bytes(1).isEmpty
    } catch {
      return error.name == "ECONNRESET"
    }
  }
}

extension [UInt8] {
  /// Reads hexadecimal digits; blanks are passed over.
  init(hex text: String) {
    let digits = text.compactMap(\.hexDigitValue)
    precondition(digits.count.isMultiple(of: 2), "\(digits.count) digits make no bytes")
    self = stride(from: 0, to: digits.count, by: 2)
      .map { UInt8(digits[$0]) << 4 | UInt8(digits[$0 + 1]) }
  }

  /// The same bytes with one bit turned.
  func flipping(bit: Int) -> [UInt8] {
    var bytes = self
    bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    return bytes
  }
}
