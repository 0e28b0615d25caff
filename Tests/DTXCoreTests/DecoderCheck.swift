import DTXCore
import Testing

/// What a decoder owes to whatever bytes it gets: it never traps, and takes only what its encoder
/// could have written.
struct DecoderCheck<Value: Equatable>: Sendable {
  var encode: @Sendable (Value) -> [UInt8]
  var decode: @Sendable ([UInt8]) throws(FormatError) -> Value

  /// Holds both directions to a golden vector, and the decoder to all that lies near it.
  ///
  /// `cuts` are lengths at which the bytes may end and be whole all the same.
  func holds(
    _ golden: [UInt8],
    _ value: Value,
    wholeAt cuts: [Int] = [],
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(encode(value) == golden, sourceLocation: location)
    let decoded = try decode(golden)
    #expect(decoded == value, sourceLocation: location)
    for count in golden.indices where !cuts.contains(count) {
      let isRefused = problem(Array(golden.prefix(count))) != nil
      #expect(isRefused, "\(count) bytes", sourceLocation: location)
    }
    for (bit, bytes) in bitFlips(of: golden) {
      guard let other = try? decode(bytes) else { continue }
      #expect(other != value, "bit \(bit)", sourceLocation: location)
      #expect(encode(other) == bytes, "bit \(bit)", sourceLocation: location)
    }
    survivesNoise(near: golden, location)
  }

  /// The error that the bytes meet; nil when they are taken.
  func problem(_ bytes: [UInt8]) -> FormatError.Problem? {
    formatError { () throws(FormatError) in _ = try decode(bytes) }?.problem
  }

  /// Takes bytes that nobody would write: it is enough not to trap, and to stay within them.
  private func survivesNoise(near golden: [UInt8], _ location: SourceLocation) {
    for seed in 0..<400 {
      var numbers = SeededNumbers(seed: UInt64(seed))
      let kept = numbers.below(golden.count + 1)
      let added = numbers.below(24)
      var bytes = Array(golden.prefix(kept))
      for _ in 0..<added { bytes.append(noise(&numbers)) }
      for _ in 0..<min(numbers.below(4), bytes.count) {
        bytes[numbers.below(bytes.count)] = noise(&numbers)
      }
      do throws(FormatError) {
        _ = encode(try decode(bytes))
      } catch {
        let isWithin = (0...bytes.count).contains(error.offset)
        #expect(isWithin, "seed \(seed): \(error)", sourceLocation: location)
      }
    }
  }

  /// A byte, often one at the edge of a varint.
  private func noise(_ numbers: inout SeededNumbers) -> UInt8 {
    let edges: [UInt8] = [0x00, 0x01, 0x7f, 0x80, 0xff]
    let choice = numbers.below(8)
    return choice < edges.count ? edges[choice] : UInt8(truncatingIfNeeded: numbers.next())
  }
}

/// The bytes that `body` writes.
func written(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
  var writer = ByteWriter()
  body(&writer)
  return writer.bytes
}

/// So many letters.
func letters(_ count: Int) -> [UInt8] {
  Array(repeating: UInt8(ascii: "a"), count: count)
}

/// A text of one character, as people see it, with thousands of bytes.
let endlessCharacter = "e" + String(repeating: "\u{301}", count: 20_000)
