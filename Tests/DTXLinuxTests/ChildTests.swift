import DTXLinux
import Glibc
import Testing

@Suite struct ChildTests {
  @Test func aProgramIsFoundInPathAndItsStatusReported() throws {
    let child = try Child.spawn(["sh", "-c", "exit 37"])
    #expect(try child.wait() == .exited(37))
    #expect(try child.wait() == .exited(37), "the answer is kept")
    #expect(child.waitIfDone() == .exited(37))
    child.terminate(SIGKILL)
  }

  @Test func aProgramThatIsMissingIsAnError() {
    do {
      _ = try Child.spawn(["no-such-program-here"])
      Issue.record("it started")
    } catch {
      #expect(error.number == ENOENT)
      #expect(error.subject == "no-such-program-here")
    }
    #expect(errorNumber { () throws(SystemError) in _ = try Child.spawn([String]()) } == EINVAL)
    #expect(errorNumber { () throws(SystemError) in _ = try Child.spawn([[0x61, 0]]) } == EINVAL)
  }

  @Test func aRunningChildIsTerminated() throws {
    let (child, stream) = try Child.spawnConnected([bytes("cat")])
    #expect(child.waitIfDone() == nil)
    let waiting = try Thread(name: "waiter") { _ = try? child.wait() }
    child.terminate()
    #expect(try child.wait() == .signalled(SIGTERM))
    waiting.join()
    stream.close()
  }

  @Test func bytesPassThroughAChild() throws {
    let (child, stream) = try Child.spawnConnected([bytes("cat")])
    let content = String(repeating: "0123456789abcdef", count: 40_000)
    let writer = try Thread(name: "writer") {
      try? stream.writeAll(bytes(content))
      stream.closeWriting()
    }
    #expect(try readToEnd(stream) == content)
    writer.join()
    #expect(try child.wait() == .exited(0))
  }

  @Test func argumentsArriveByteForByte() throws {
    let odd: [UInt8] = [0x24, 0x20, 0x27, 0xFF, 0x0A, 0x22]
    let bench = try Workbench()
    let output = try bench.makeFile("out")
    let child = try Child.spawn(
      [bytes("printf"), bytes("%s|%s"), odd, []],
      standardOutput: output.raw
    )
    #expect(try child.wait() == .exited(0))
    #expect(try output.read(byteCount: 99, at: 0) == odd + [0x7C])
  }

  @Test func standardErrorGoesWhereItIsSent() throws {
    let bench = try Workbench()
    let log = try bench.makeFile("log")
    let child = try Child.spawn(["sh", "-c", "echo trouble >&2"], standardError: log.raw)
    #expect(try child.wait() == .exited(0))
    #expect(try bench.content("log") == "trouble\n")
  }

  @Test func aChildGetsNoOtherDescriptor() throws {
    let bench = try Workbench()
    let file = try bench.makeFile("secret")
    let (near, far) = try Socket.pair()
    let output = try bench.makeFile("out")
    let child = try Child.spawn(["ls", "-l", "/proc/self/fd"], standardOutput: output.raw)
    #expect(try child.wait() == .exited(0))
    let list = try bench.content("out")
    #expect(list.contains("/out"), "the list is one of descriptors: \(list)")
    #expect(!list.contains("secret"))
    try near.sendAll([1])
    withExtendedLifetime((file, far)) {}
  }
}
