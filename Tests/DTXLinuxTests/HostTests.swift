import DTXLinux
import Glibc
import Testing

@Suite struct HostTests {
  @Test func theProcessKnowsItsPlace() throws {
    #expect(!Host.hostName.isEmpty)
    #expect(Host.kernelRelease.split(separator: ".").count >= 2)
    let path = try Host.executablePath()
    #expect(path.first == UInt8(ascii: "/"))
    #expect(Host.homeDirectory != nil)
    #expect(Host.effectiveUserID == geteuid())
    #expect(Host.processorCount >= 1)
    #expect(Host.processID == getpid())
  }

  @Test func environmentVariablesAreRead() {
    #expect(Host.environment("PATH") != nil)
    #expect(Host.environment("DTX_NO_SUCH_VARIABLE") == nil)
  }

  @Test func aPipeIsNoTerminal() throws {
    var pipe = try Pipe()
    let end = pipe.takeReading()
    #expect(!Host.isTerminal(end.raw))
    #expect(Host.terminalWidth(end.raw) == nil)
  }

  @Test func aTerminalHasItsWidth() throws {
    var size = winsize()
    size.ws_col = 123
    var main: Int32 = -1
    var other: Int32 = -1
    try #require(openpty(&main, &other, nil, nil, &size) == 0)
    let held = Descriptor(owning: main)
    let terminal = Descriptor(owning: other)
    #expect(Host.isTerminal(terminal.raw))
    #expect(Host.terminalWidth(terminal.raw) == 123)
    try held.close()
  }

  @Test func writingWaitsForANonBlockingReader() throws {
    var pipe = try Pipe()
    let reading = pipe.takeReading()
    let writing = pipe.takeWriting()
    let raw = writing.raw
    _ = fcntl(raw, F_SETFL, O_NONBLOCK)
    let content = [UInt8](repeating: 5, count: 300_000)
    let call = try BlockedCall(in: pollCalls) { () -> Bool in
      (try? Host.writeAll(content, to: raw)) != nil
    }
    var received = 0
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while received < content.count {
      let count = read(reading.raw, &buffer, buffer.count)
      try #require(count > 0)
      received += count
    }
    #expect(try call.result())
    try writing.close()
  }

  @Test func usageGrowsWithWork() {
    let before = Clock.threadCPU()
    while Clock.threadCPU() < before + 2_000_000 {}
    let usage = Host.resourceUsage()
    #expect(usage.userNanoseconds + usage.systemNanoseconds > 0)
    #expect(usage.peakResidentByteCount > 1 << 20)
    #expect(Clock.processCPU() >= Clock.threadCPU())
  }

  @Test func clocksRunForward() {
    let start = Clock.now()
    #expect(Clock.now() >= start)
    // The wall clock is past 2020.
    #expect(Clock.wall() > 1_577_836_800_000_000_000)
  }

  @Test func coreDumpsAreOff() async {
    await #expect(processExitsWith: .success) {
      try Host.dropCoreDumps()
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
      try #require(limit.rlim_cur == 0 && limit.rlim_max == 0)
    }
  }

  @Test func randomBytesDiffer() {
    #expect(randomBytes(0).isEmpty)
    let first = randomBytes(1 << 16)
    #expect(first.count == 1 << 16)
    #expect(first != randomBytes(1 << 16))
    #expect(Set(first).count == 256)
  }
}
