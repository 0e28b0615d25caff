import DTXCore
import Testing

@Suite struct ComparisonCodecTests {
  private func comparison(_ states: String) -> Comparison {
    var comparison = Comparison(extentCount: states.count)
    for (index, state) in states.enumerated() {
      switch state {
      case "w": comparison.wanted[index] = true
      case "c": comparison.digests[index] = Digest(words: (UInt64(index) + 1, 9, 0, 0))
      default: break
      }
    }
    return comparison
  }

  private func decoded(_ pages: [[UInt8]], extentCount: Int) throws(FormatError) -> Comparison? {
    var decoder = ComparisonCodec.Decoder(extentCount: extentCount)
    for page in pages { try decoder.add(page: page) }
    return decoder.isComplete ? decoder.comparison : nil
  }

  @Test("every comparison of up to five extents comes back as it went")
  func returnsAllSmall() throws {
    for count in 0...5 {
      for number in 0..<[1, 3, 9, 27, 81, 243][count] {
        var rest = number
        var states = ""
        for _ in 0..<count {
          states.append(Array("wuc")[rest % 3])
          rest /= 3
        }
        let original = comparison(states)
        let found = try decoded(ComparisonCodec.encode(original), extentCount: count)
        #expect(found == original, "\(states)")
      }
    }
  }

  @Test("pages stay below a frame, however many digests are carried")
  func cutsPages() throws {
    let count = 200_001
    let original = comparison(String(repeating: "c", count: count))
    let pages = ComparisonCodec.encode(original)
    #expect(pages.count > 3)
    for page in pages {
      let frame = MessageCodec.encode(.comparison(segment: 1 << 20, page: page))
      #expect(frame.count <= Limits.controlFrameByteCount)
    }
    #expect(try decoded(pages, extentCount: count) == original)
  }

  @Test("a page that ends early is refused or incomplete")
  func survivesTruncation() {
    let original = comparison("wwuccuwcccu")
    for page in ComparisonCodec.encode(original) {
      for count in 0..<page.count {
        let found = try? decoded([Array(page.prefix(count))], extentCount: 11)
        #expect(found == nil || found != original)
      }
      for (_, bytes) in bitFlips(of: page) {
        #expect((try? decoded([bytes], extentCount: 11)) != original)
      }
    }
  }

  @Test("more extents than there are, runs of none and unknown states are refused")
  func refusesNonsense() {
    func error(_ bytes: [UInt8]) -> FormatError? {
      formatError { () throws(FormatError) in _ = try decoded([bytes], extentCount: 3) }
    }
    #expect(error([4 << 2]) != nil)
    #expect(error([0]) != nil)
    #expect(error([1 << 2 | 3]) != nil)
    #expect(error([3 << 2, 1 << 2]) != nil)
    // The largest count that a varint holds.
    #expect(error(Array(repeating: 0xff, count: 9) + [1]) != nil)
    #expect(error([3 << 2]) == nil)
  }
}
