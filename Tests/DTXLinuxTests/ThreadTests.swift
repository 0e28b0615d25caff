import DTXLinux
import Glibc
import Testing

@Suite struct ThreadTests {
  @Test func joiningSeesAllThatTheThreadDid() throws {
    let total = Guarded(0)
    let threads = try (0..<8).map { index in
      try Thread(name: "adder \(index) with a long name") {
        for _ in 0..<1000 { total.withLock { $0 += 1 } }
      }
    }
    for thread in threads {
      thread.join()
      thread.join()
    }
    #expect(total.withLock { $0 } == 8000)
  }

  @Test func aThreadOutlivesItsLastReference() throws {
    let mailbox = Mailbox<Int>()
    let go = Mailbox<Int>()
    do { _ = try Thread(name: "free") { mailbox.send((go.receive(deadline: soon()) ?? 0) + 1) } }
    go.send(41)
    #expect(mailbox.receive(deadline: soon()) == 42)
  }

  @Test func aThreadHasItsNameAndProcessors() throws {
    let mailbox = Mailbox<(String, [Int])>()
    let processors = try Thread.affinity()
    #expect(Thread.processorCount == processors.count)
    let one = try #require(processors.last)
    let thread = try Thread(name: "a name of 18 bytes") {
      try? Thread.setAffinity([one])
      let name = (try? File.open(bytes("/proc/thread-self/comm"), .read).read(byteCount: 99, at: 0))
      mailbox.send((String(decoding: name ?? [], as: UTF8.self), (try? Thread.affinity()) ?? []))
    }
    thread.join()
    let (name, allowed) = try #require(mailbox.tryReceive())
    #expect(name == "a name of 18 by\n")
    #expect(allowed == [one])
    #expect(try Thread.affinity() == processors, "other threads are not moved")
    #expect(errorNumber { () throws(SystemError) in try Thread.setAffinity([]) } == EINVAL)
  }

  @Test func aSmallStackIsEnoughToStart() throws {
    let thread = try Thread(name: "small", stackByteCount: 1) {}
    thread.join()
  }

  @Test func waitingEndsWithTheSignal() throws {
    let value = Guarded(0)
    let call = try BlockedCall(in: futexCalls) {
      value.wait(until: { $0 >= 2 ? $0 : nil })
    }
    value.withLockAndSignal { $0 = 1 }
    value.withLock { $0 = 2 }
    value.notifyAll()
    #expect(try call.result() == 2)
  }

  @Test func waitingEndsAtTheDeadlineAndAsksOnceMore() {
    let value = Guarded(0)
    var asked = 0
    let deadline = Clock.now() + 3_000_000
    let result: Int? = value.wait(
      until: { _ in
        asked += 1
        return nil
      },
      deadline: deadline
    )
    #expect(result == nil)
    #expect(Clock.now() >= deadline)
    #expect(asked >= 2)
    #expect(value.wait(until: { _ in 7 }, deadline: 0) == 7)
  }

  @Test func anErrorLeavesTheLockFree() {
    let value = Guarded(1)
    let failure = SystemError(operation: "a", subject: "b", number: EIO)
    #expect(
      errorNumber { () throws(SystemError) in
        try value.withLock { (_) throws(SystemError) in throw failure }
      } == EIO
    )
    #expect(value.withLock { $0 } == 1)
  }
}
