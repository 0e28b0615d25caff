import DTXLinux
import Testing

@testable import DTXEngine

/// The bytes that a null source makes up.
@Suite struct NullContentTests {
  private static func bytes(_ count: Int, file: UInt64, at offset: UInt64) throws -> [UInt8] {
    let content = try NullContent()
    var bytes = [UInt8](repeating: 0, count: count)
    bytes.withUnsafeMutableBytes { content.fill($0, file: file, at: offset) }
    return bytes
  }

  @Test func anyPieceIsThatOfTheWhole() throws {
    let whole = try Self.bytes(1_000_000, file: 3, at: 0)
    for (start, count) in [
      (0, 1), (0, 7), (1, 3), (5, 4096), (4090, 10), (4095, 2), (262_143, 2), (262_144, 300_000),
      (524_281, 475_719), (999_999, 1), (17, 0),
    ] {
      let piece = try Self.bytes(count, file: 3, at: UInt64(start))
      #expect(piece.elementsEqual(whole[start..<start + count]), "\(count) bytes at \(start)")
    }
  }

  @Test func noTwoPagesAreAlike() throws {
    var pages: Set<[UInt8]> = []
    for file in UInt64(0)...1 {
      for start in [0, (1 << 30) - (1 << 20)] as [UInt64] {
        let bytes = try Self.bytes(1 << 20, file: file, at: start)
        for page in stride(from: 0, to: bytes.count, by: 4096) {
          pages.insert(Array(bytes[page..<page + 4096]))
        }
      }
    }
    #expect(pages.count == 4 * 256)
  }

  @Test func everyByteOccursAsOftenAsAnyOther() throws {
    var counts = [Int](repeating: 0, count: 256)
    for (index, byte) in try Self.bytes(256 << 10, file: 0, at: 0).enumerated()
    where index % 4096 >= 8 { counts[Int(byte)] += 1 }
    #expect(counts.allSatisfy { (800...1400).contains($0) })
  }
}
