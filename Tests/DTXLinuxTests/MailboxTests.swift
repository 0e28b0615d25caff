import DTXLinux
import Testing

@Suite struct MailboxTests {
  @Test(arguments: [nil, 1, 3, 64])
  func everySendersMessagesArriveOnceAndInOrder(_ capacity: Int?) throws {
    let mailbox = Mailbox<(sender: Int, number: Int)>(capacity: capacity)
    let senderCount = 6
    let messageCount = 2000
    let senders = try (0..<senderCount).map { sender in
      try Thread(name: "sender \(sender)") {
        for number in 0..<messageCount { mailbox.send((sender, number)) }
      }
    }
    var next = [Int](repeating: 0, count: senderCount)
    for _ in 0..<(senderCount * messageCount) {
      let message = try #require(mailbox.receive(deadline: soon()))
      #expect(message.number == next[message.sender])
      next[message.sender] += 1
      if let capacity { #expect(mailbox.count <= capacity) }
    }
    for sender in senders { sender.join() }
    #expect(next == [Int](repeating: messageCount, count: senderCount))
    #expect(mailbox.tryReceive() == nil)
  }

  @Test func aFullMailboxHoldsItsSenderBack() throws {
    let mailbox = Mailbox<Int>(capacity: 2)
    #expect(mailbox.send(1) && mailbox.trySend(2))
    #expect(!mailbox.trySend(3))
    let call = try BlockedCall(in: futexCalls) { mailbox.send(3) }
    #expect(mailbox.receive() == 1)
    #expect(try call.result())
    #expect(mailbox.drain() == [2, 3])
    #expect(mailbox.drain() == [])
  }

  @Test func drainingMakesRoom() throws {
    let mailbox = Mailbox<Int>(capacity: 1)
    mailbox.send(1)
    let call = try BlockedCall(in: futexCalls) { mailbox.send(2) }
    #expect(mailbox.drain() == [1])
    #expect(try call.result())
    #expect(mailbox.receive() == 2)
  }

  @Test func aClosedMailboxGivesOutWhatItHas() {
    let mailbox = Mailbox<Int>()
    mailbox.send(1)
    mailbox.send(2)
    mailbox.close()
    #expect(!mailbox.send(3))
    #expect(mailbox.isClosed)
    #expect(mailbox.receive() == 1)
    #expect(mailbox.receive() == 2)
    #expect(mailbox.receive() == nil)
  }

  @Test func closingWakesReceiverAndSender() throws {
    let empty = Mailbox<Int>()
    let receiving = try BlockedCall(in: futexCalls) { empty.receive() }
    empty.close()
    #expect(try receiving.result() == nil)
    let full = Mailbox<Int>(capacity: 1)
    full.send(1)
    let sending = try BlockedCall(in: futexCalls) { full.send(2) }
    full.close()
    #expect(try !sending.result())
  }

  @Test func aDeadlineEndsTheWait() {
    let mailbox = Mailbox<Int>()
    let deadline = Clock.now() + 3_000_000
    #expect(mailbox.receive(deadline: deadline) == nil)
    #expect(Clock.now() >= deadline)
    #expect(!mailbox.isClosed)
    mailbox.send(5)
    #expect(mailbox.receive(deadline: 0) == 5, "a past deadline still takes what is there")
  }
}
