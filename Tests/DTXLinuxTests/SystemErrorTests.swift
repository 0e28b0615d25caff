import DTXLinux
import Glibc
import Testing

@Suite struct SystemErrorTests {
  @Test func anErrorTellsWhatOnWhatAndWhy() {
    let error = SystemError(operation: "open", subject: "/data/x", number: ENOSPC)
    #expect(error.name == "ENOSPC")
    #expect(error.explanation == "No space left on device")
    #expect(error.description == "open /data/x: No space left on device (ENOSPC)")
  }

  @Test func aNumberWithoutSymbolIsShownAsNumber() {
    #expect(SystemError(operation: "a", subject: "b", number: 999).name == "errno 999")
    #expect(SystemError(operation: "a", subject: "b", number: -1).name == "errno -1")
  }

  @Test func everyNumberOfTheKernelHasASymbol() {
    // 41 and 58 are not assigned.
    let without = (1...133).filter {
      SystemError(operation: "", subject: "", number: Int32($0)).name.hasPrefix("errno")
    }
    #expect(without == [41, 58])
  }

  @Test(arguments: [
    (Array("plain name.txt".utf8), "plain name.txt"),
    (Array("größe 数据 🙂".utf8), "größe 数据 🙂"),
    (Array("a\u{1B}[31mb\n".utf8), "a\\x1b[31mb\\x0a"),
    ([0x61, 0xFF, 0x62], "a\\xffb"),
    ([0xC3], "\\xc3"),
    // An overlong slash and a surrogate are not UTF-8.
    ([0xC0, 0xAF], "\\xc0\\xaf"),
    ([0xED, 0xA0, 0x80], "\\xed\\xa0\\x80"),
    // C1 controls, and the mark that reverses the text after it.
    (Array("x\u{9B}y".utf8), "x\\xc2\\x9by"),
    (Array("x\u{202E}y".utf8), "x\\xe2\\x80\\xaey"),
    ([0xE6, 0x95, 0x41], "\\xe6\\x95A"),
    ([], ""),
  ])
  func bytesArePrintedSafely(_ input: [UInt8], _ expected: String) {
    #expect(printable(input) == expected)
  }
}
