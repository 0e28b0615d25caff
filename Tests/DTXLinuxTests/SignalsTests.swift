import DTXLinux
import Glibc
import Testing

/// Signals belong to the whole process, so each test has a process of its own.
///
/// They are sent to the thread: one sent to the process could end up with a thread of the test
/// library that does not block it.
@Suite struct SignalsTests {
  @Test func aBlockedSignalIsReceivedThoughItIsIgnored() async {
    await #expect(processExitsWith: .success) {
      signal(SIGINT, SIG_DFL)
      signal(SIGHUP, SIG_DFL)
      Signals.blockAll()
      var action = sigaction()
      sigaction(SIGINT, nil, &action)
      #expect(isIgnored(action))
      for number in [SIGINT, SIGTERM, SIGHUP] {
        pthread_kill(pthread_self(), number)
        try #require(Signals.wait(deadline: soon()) == number)
      }
      try #require(Signals.wait(deadline: Clock.now() + 2_000_000) == nil)
      try #require(Signals.wait(deadline: 0) == nil)
    }
  }

  @Test func whatWasIgnoredFromTheStartStaysSo() async {
    await #expect(processExitsWith: .success) {
      signal(SIGINT, SIG_IGN)
      signal(SIGHUP, SIG_IGN)
      Signals.blockAll()
      Signals.blockAll()
      pthread_kill(pthread_self(), SIGINT)
      pthread_kill(pthread_self(), SIGHUP)
      pthread_kill(pthread_self(), SIGTERM)
      try #require(Signals.wait(deadline: soon()) == SIGTERM)
      try #require(Signals.wait(deadline: 0) == nil)
    }
  }

  @Test func aThreadStartedLaterBlocksThemToo() async {
    await #expect(processExitsWith: .success) {
      signal(SIGINT, SIG_DFL)
      Signals.blockAll()
      let received = Mailbox<Int32?>()
      let thread = try Thread(name: "waiter") {
        pthread_kill(pthread_self(), SIGTERM)
        received.send(Signals.wait(deadline: soon()))
      }
      thread.join()
      try #require(received.tryReceive() == SIGTERM)
    }
  }

  @Test func restoredSignalsEndTheProcess() async {
    await #expect(processExitsWith: .signal(SIGINT)) {
      signal(SIGINT, SIG_DFL)
      Signals.blockAll()
      Signals.restoreDefault()
      pthread_kill(pthread_self(), SIGINT)
    }
  }

  @Test func aPipeWithoutReaderIsAnErrorAndNoSignal() async {
    await #expect(processExitsWith: .success) {
      Signals.blockAll()
      var pipe = try Pipe()
      let writing = pipe.takeWriting()
      do { _ = pipe.takeReading() }
      try #require(write(writing.raw, "x", 1) == -1 && errno == EPIPE)
    }
  }

  @Test(arguments: [true, false])
  func aChildIgnoresInterruptsAndBlocksNothing(_ ignoring: Bool) async {
    await #expect(processExitsWith: .success) { [ignoring] in
      signal(SIGINT, SIG_DFL)
      Signals.blockAll()
      let (child, stream) = try Child.spawnConnected(
        [bytes("cat"), bytes("/proc/self/status")],
        ignoringInterrupt: ignoring
      )
      let status = try readToEnd(stream)
      try #require(try child.wait() == .exited(0))
      try #require(mask("SigBlk", in: status) == 0)
      let ignored = try #require(mask("SigIgn", in: status))
      try #require((ignored & (1 << UInt64(SIGINT - 1)) != 0) == ignoring)
      try #require(ignored & (1 << UInt64(SIGPIPE - 1)) == 0)
    }
  }

  @Test func anInterruptOfTheGroupLeavesAChildAlone() async {
    await #expect(processExitsWith: .success) {
      signal(SIGINT, SIG_DFL)
      Signals.blockAll()
      let (child, stream) = try Child.spawnConnected([bytes("cat")])
      child.terminate(SIGINT)
      // It still answers.
      try stream.writeAll(bytes("x"))
      stream.closeWriting()
      try #require(try readToEnd(stream) == "x")
      try #require(try child.wait() == .exited(0))
    }
  }
}

func readToEnd(_ stream: ByteStream) throws -> String {
  var content: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while true {
    let count = try buffer.withUnsafeMutableBytes { try stream.readSome(into: $0) }
    if count == 0 { return String(decoding: content, as: UTF8.self) }
    content += buffer[..<count]
  }
}

/// A signal mask of /proc/self/status.
private func mask(_ name: String, in status: String) -> UInt64? {
  guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name + ":") }),
    let digits = line.split(whereSeparator: { $0 == ":" || $0 == "\t" }).last
  else { return nil }
  return UInt64(digits, radix: 16)
}

private func isIgnored(_ action: sigaction) -> Bool {
  // SIG_IGN is the address 1.
  unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
}
