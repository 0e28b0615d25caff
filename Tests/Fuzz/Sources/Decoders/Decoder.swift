internal import DTXCore

/// What a decoder did that it must not do, other than a trap.
package struct Violation: Error, Sendable {
  package var reason: String

  init(_ reason: String) {
    self.reason = reason
  }
}

/// A decoder by its name, and what it owes to any bytes whatsoever.
package struct Decoder: Sendable {
  /// The name of its folder in the corpus too.
  package let name: String
  /// Gives the decoder some bytes.
  package let check: @Sendable ([UInt8]) throws(Violation) -> Void

  init(_ name: String, check: @escaping @Sendable ([UInt8]) throws(Violation) -> Void) {
    self.name = name
    self.check = check
  }

  /// All of the pure core.
  package static let all: [Decoder] = wire + inventories + records + texts + sessions

  /// How exactly an encoder gives back what its decoder took.
  enum Form {
    /// There is one encoding.
    case canonical
    /// Something may be left out: a reason's end, an attribute that nobody knows.
    case shortened
  }

  /// A decoder that has an encoder: what it takes must encode to what it took.
  init<Value>(
    _ name: String,
    _ form: Form = .canonical,
    encode: @escaping @Sendable (Value) -> [UInt8],
    decode: @escaping @Sendable ([UInt8]) throws(FormatError) -> Value,
    hold: @escaping @Sendable (Value) throws(Violation) -> Void = { _ in }
  ) {
    self.init(name) { bytes throws(Violation) in
      guard let value = try Decoder.taken(bytes, decode) else { return }
      let again = encode(value)
      if again != bytes {
        guard form == .shortened, again.count < bytes.count else {
          throw Violation("\(bytes.count) bytes become \(again.count) other ones")
        }
        guard let other = try Decoder.taken(again, decode), encode(other) == again else {
          throw Violation("what it encodes is not what it decodes")
        }
      }
      try hold(value)
    }
  }

  /// What a decoder makes of bytes, nil when it refuses them; the place of its error is in them.
  static func taken<Value>(
    _ bytes: [UInt8],
    _ decode: ([UInt8]) throws(FormatError) -> Value
  ) throws(Violation) -> Value? {
    do throws(FormatError) {
      return try decode(bytes)
    } catch {
      guard (0...bytes.count).contains(error.offset) else {
        throw Violation("of \(bytes.count) bytes: \(error)")
      }
      return nil
    }
  }

  /// Says what does not hold.
  static func demand(
    _ condition: Bool,
    _ reason: @autoclosure () -> String
  ) throws(Violation) {
    guard condition else { throw Violation(reason()) }
  }
}
