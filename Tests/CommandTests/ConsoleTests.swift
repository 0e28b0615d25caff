import DTXCore
import DTXEngine
import DTXLinux
import Glibc
import Testing

@testable import dtx

@Suite struct ConsoleTests {
  @Test func withoutATerminalNoProgressIsDrawn() throws {
    let streams = try Streams()
    let printer = EventPrinter(streams.console(), isJSON: false, isQuiet: false)
    printer.print(.progress(moving(500, at: 1)))
    printer.print(.notice("a\u{1B}b"))
    printer.print(.entry([0x61, 0x0A], .regular))
    printer.print(.entry(bytes("d"), .directory))
    printer.print(.failed(FailedPath(path: [], failure: .unreadable, reason: "EACCES")))
    #expect(try streams.output() == "a\\x0a\nd/\n")
    #expect(try streams.messages() == "dtx: a\\x1bb\ndtx: .: EACCES\n")
  }

  @Test func quietMeansErrorsAlone() throws {
    let streams = try Streams()
    let printer = EventPrinter(streams.console(), isJSON: false, isQuiet: true)
    printer.print(.notice("n"))
    printer.print(.failed(FailedPath(path: bytes("a"), failure: .changed, reason: "r")))
    #expect(try streams.output() == "")
    #expect(try streams.messages() == "dtx: a: r\n")
    #expect(printer.failures.status == .changed)
  }

  @Test func eventsAreJSONLinesAndProgressComesOnceASecond() throws {
    let streams = try Streams()
    let printer = EventPrinter(streams.console(), isJSON: true, isQuiet: false)
    for quarter in 0...8 { printer.print(.progress(moving(100, at: 0, quarters: quarter))) }
    printer.print(.failed(FailedPath(path: [0xFF], failure: .conflict, reason: "r")))
    printer.print(.entry(bytes("e"), .symlink))
    printer.print(.notice("n"))
    printer.printMissing(["n", "m"])
    let lines = try streams.output().split(separator: "\n").map(String.init)
    #expect(
      lines.first == """
        {"type":"progress","phase":"moving","seconds":0.000000000,"entries":0,"bytes":0,\
        "scan_complete":true,"bytes_wanted":1000,"bytes_moved":100,"bytes_durable":0,\
        "connections":1,"predicted_seconds":null,"forecast_seconds":null,\
        "forecast_earliest_seconds":null,"forecast_latest_seconds":null}
        """
    )
    #expect(
      Array(lines.dropFirst(3)) == [
        #"{"type":"entry_failed","path_base64":"/w==","failure":"conflict","reason":"r"}"#,
        #"{"type":"entry","path":"e","kind":"symlink"}"#,
        #"{"type":"notice","text":"n"}"#, #"{"type":"notice","text":"m"}"#,
      ]
    )
    #expect(try streams.messages() == "")
  }

  @Test func onATerminalTheLineIsRedrawnAndMakesWayForMessages() throws {
    let streams = try Streams(hasTerminal: true)
    let console = streams.console()
    #expect(console.isTerminal)
    console.draw("one")
    console.draw("two")
    console.message("message")
    console.draw("three")
    console.finish()
    let erase = "\r\u{1B}[K"
    #expect(
      try streams.terminal(until: "three\u{1B}[K\(erase)")
        == "\rone\u{1B}[K\rtwo\u{1B}[K\(erase)message\r\n\rthree\u{1B}[K\(erase)"
    )
  }

  @Test func aLineIsCutToTheTerminal() throws {
    let streams = try Streams(hasTerminal: true)
    try streams.setTerminalWidth(10)
    streams.console().draw("0123456789abcdef")
    #expect(try streams.terminal(until: "\u{1B}[K") == "\r012345678\u{1B}[K")
  }

  @Test func aReportThatCannotBeWrittenIsTold() throws {
    let full = try File.open(bytes("/dev/full"), .readWrite)
    let console = Console(output: full.raw, bufferByteCount: 1 << 16)
    console.report("line")
    #expect(console.finish()?.name == "ENOSPC")
  }

  private func moving(_ moved: UInt64, at second: UInt64, quarters: Int = 0) -> TransferProgress {
    var progress = TransferProgress(phase: "moving")
    progress.wantedByteCount = 1000
    progress.movedByteCount = moved
    progress.isScanComplete = true
    progress.openConnectionCount = 1
    progress.nanoseconds = second * 1_000_000_000 + UInt64(quarters) * 250_000_000
    return progress
  }
}

/// The two streams of a console under test, as files or with a pseudo-terminal for the messages.
private final class Streams {
  private let scratch: ScratchDirectory
  private let outputFile: File
  private let messageFile: File
  /// TIOCSPTLCK and TIOCGPTN of ioctl_tty(2), which are macros that Swift does not see.
  private static let unlock: UInt = 0x4004_5431
  private static let number: UInt = 0x8004_5430

  /// The end at which a terminal's user sits; nil without a terminal.
  private let user: File?

  init(hasTerminal: Bool = false) throws {
    scratch = try ScratchDirectory()
    outputFile = try File.open(bytes(try scratch.file("output", "")), .append)
    if hasTerminal {
      let master = try File.open(bytes("/dev/ptmx"), .readWrite)
      var isLocked: Int32 = 0
      var number: UInt32 = 0
      guard ioctl(master.raw, Streams.unlock, &isLocked) == 0,
        ioctl(master.raw, Streams.number, &number) == 0
      else {
        throw SystemError(operation: "ioctl", subject: "/dev/ptmx", number: errno)
      }
      user = master
      let path = "/dev/pts/\(number)"
      messageFile = try File.open(bytes(path), .readWrite)
    } else {
      user = nil
      messageFile = try File.open(bytes(try scratch.file("messages", "")), .append)
    }
  }

  func console() -> Console {
    Console(output: outputFile.raw, messages: messageFile.raw)
  }

  func output() throws -> String { try content(outputFile) }

  func messages() throws -> String { try content(messageFile) }

  func setTerminalWidth(_ columns: UInt16) throws {
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    guard ioctl(messageFile.raw, UInt(TIOCSWINSZ), &size) == 0 else {
      throw SystemError(operation: "ioctl", subject: "terminal", number: errno)
    }
  }

  /// What the terminal's user has seen once it ends so; the terminal adds a return to each line.
  func terminal(until end: String) throws -> String {
    guard let user else { return "" }
    var seen: [UInt8] = []
    while !String(decoding: seen, as: UTF8.self).hasSuffix(end) {
      var piece = [UInt8](repeating: 0, count: 4096)
      var wanted = pollfd(fd: user.raw, events: Int16(POLLIN), revents: 0)
      guard poll(&wanted, 1, 10_000) == 1 else {
        throw SystemError(operation: "poll", subject: "terminal", number: ETIMEDOUT)
      }
      let count = read(user.raw, &piece, piece.count)
      guard count > 0 else {
        throw SystemError(operation: "read", subject: "terminal", number: errno)
      }
      seen += piece[..<count]
    }
    return String(decoding: seen, as: UTF8.self)
  }

  private func content(_ file: File) throws -> String {
    let byteCount = try file.status().byteCount
    return String(decoding: try file.read(byteCount: Int(byteCount), at: 0), as: UTF8.self)
  }
}
