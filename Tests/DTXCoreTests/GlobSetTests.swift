import DTXCore
import Testing

/// Bracket expressions: which bytes rsync 3.5.0 leaves out of a tree with a file for each byte.
@Suite struct GlobSetTests {
  @Test(
    "a set holds what it holds for rsync",
    arguments: [
      ("[[:alnum:]]", "30-39 41-5a 61-7a"), ("[[:alpha:]]", "41-5a 61-7a"),
      ("[[:blank:]]", "09-09 20-20"), ("[[:cntrl:]]", "01-1f 7f-7f"), ("[[:digit:]]", "30-39"),
      ("[[:graph:]]", "21-2e 30-7e"), ("[[:lower:]]", "61-7a"), ("[[:print:]]", "20-2e 30-7e"),
      ("[[:punct:]]", "21-2e 3a-40 5b-60 7b-7e"), ("[[:space:]]", "09-0d 20-20"),
      ("[[:upper:]]", "41-5a"), ("[[:xdigit:]]", "30-39 41-46 61-66"),
      ("[^[:alnum:]]", "01-2e 3a-40 5b-60 7b-ff"), ("[![:print:]]", "01-1f 7f-ff"),
      ("[[:digit:]a]", "30-39 61-61"), ("[a[:digit:]-]", "2d-2d 30-39 61-61"),
      ("[[:space:][:digit:]]", "09-0d 20-20 30-39"), ("[[:alpha:]&&]", "26-26 41-5a 61-7a"),
      // A hyphen behind a class or a range is one.
      ("[[:digit:]-a]", "2d-2d 30-39 61-61"), ("[[:alpha:]-z]", "2d-2d 41-5a 61-7a"),
      ("[a-c-e]", "2d-2d 61-63 65-65"), ("[z-a]", "7a-7a"), ("[+--]", "2b-2d"),
      ("[-a]", "2d-2d 61-61"), ("[!a-]", "01-2c 2e-2e 30-60 62-ff"), ("[5-_]", "35-5f"),
      ("[]]", "5d-5d"), ("[]-a]", "5d-61"), ("[^]a]", "01-2e 30-5c 5e-60 62-ff"),
      ("[\\]]", "5d-5d"), ("[a\\]]", "5d-5d 61-61"), ("[Z-\\a]", "5a-61"),
      ("[\\^a]", "5e-5e 61-61"),
      // No class without a colon at both ends.
      ("[[:digit]", "3a-3a 5b-5b 64-64 67-67 69-69 74-74"), ("[[:]", "3a-3a 5b-5b"),
      ("[:alpha:]", "3a-3a 61-61 68-68 6c-6c 70-70"), ("[[-a]", "5b-61"),
      // What cannot be read matches nothing.
      ("[[:nope:]]", ""), ("[[:ALPHA:]]", ""), ("[[::]]", ""), ("[[.a.]]", ""), ("[a", ""),
      ("[", ""), ("[!", ""), ("[\\", ""), ("[a-", ""), ("[a-\\", ""), ("[[:", ""),
      ("[[:digit:", ""), ("[[:lower:]", ""), ("*\\", ""),
    ]
  )
  func holdsWhatRsyncHolds(set: String, expected: String) {
    let rule = FilterRule(isInclude: false, pattern: Array("x\(set)".utf8))
    let filter = Filter([rule])
    let matched = (UInt8(1)...255).filter { byte in
      byte != UInt8(ascii: "/")
        && !filter.keeps([UInt8(ascii: "x"), byte], isDirectory: false)
    }
    #expect(runs(matched) == expected, "x\(set)")
  }

  /// Ascending bytes as hexadecimal ranges.
  private func runs(_ bytes: [UInt8]) -> String {
    var ranges: [ClosedRange<UInt8>] = []
    for byte in bytes {
      if let last = ranges.last, last.upperBound + 1 == byte {
        ranges[ranges.count - 1] = last.lowerBound...byte
      } else {
        ranges.append(byte...byte)
      }
    }
    return ranges.map { "\(hex($0.lowerBound))-\(hex($0.upperBound))" }.joined(separator: " ")
  }

  private func hex(_ byte: UInt8) -> String {
    let text = String(byte, radix: 16)
    return text.count == 1 ? "0\(text)" : text
  }
}
