import Testing

@testable import dtx

@Suite struct ArgumentTextTests {
  @Test(arguments: [
    [], Array("plain".utf8), Array("né€𝄞".utf8), [0xFF], [0x61, 0xFF, 0x62], [0xC3], [0xC3, 0x28],
    [0xE2, 0x82], [0xF0, 0x9F, 0x92], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x1B, 0x5B],
    Array("\u{10FEFF}".utf8), Array("\u{10FE80}\u{10FDFF}\u{10FF00}".utf8), [0xF4, 0x8F, 0xBA],
  ])
  func anyBytesComeBackAsTheyWere(_ bytes: [UInt8]) {
    #expect(ArgumentText.bytes(of: ArgumentText.text(of: bytes)) == bytes)
  }

  /// Every byte before one of each class that UTF-8 knows.
  @Test func everyByteComesBackWhateverFollowsIt() {
    for first in UInt8.min...UInt8.max {
      for second: UInt8 in [0x00, 0x41, 0x80, 0xBF, 0xC2, 0xE0, 0xF4, 0xFF] {
        let pair = [first, second]
        #expect(ArgumentText.bytes(of: ArgumentText.text(of: pair)) == pair)
      }
    }
  }

  @Test func textStaysText() {
    #expect(ArgumentText.text(of: Array("né€".utf8)) == "né€")
  }
}
