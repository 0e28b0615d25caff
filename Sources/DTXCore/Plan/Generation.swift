/// A version of the plan: what each queue is planned with, and when it is free.
///
/// The first one has the rates of the inputs. The sender announces each later one, when a lane is
/// lost, joins, lags or changes its rate; both ends then plan what is left with it.
package struct Generation: Equatable, Sendable {
  /// What a plan takes of one queue.
  package struct Queue: Equatable, Sendable {
    /// Nil for lanes that nobody rated; zero while none of its lanes is there.
    package var rate: Rate?
    /// When it has done what it was given so far, in nanoseconds from the session's first byte.
    package var free: UInt64

    package init(rate: Rate?, free: UInt64 = 0) {
      self.rate = rate
      self.free = free
    }

    /// Whether it takes blocks.
    package var isOpen: Bool { rate?.bitsPerSecond != 0 }

    /// When it would have sent so many bytes more; never, for a queue that is not open.
    func finish(of wireByteCount: UInt64) -> UInt64 {
      guard isOpen else { return .max }
      guard let rate else { return free }
      let (sum, overflow) = free.addingReportingOverflow(rate.nanoseconds(for: wireByteCount))
      return overflow ? .max - 1 : sum
    }
  }

  package var number: UInt32
  /// One for each of the inputs' queues.
  package var queues: [Queue]

  package init(number: UInt32, queues: [Queue]) {
    self.number = number
    self.queues = queues
  }

  /// The generation that a session begins with.
  package init(_ inputs: PlanInputs) {
    number = 0
    queues = inputs.queues.map { Queue(rate: $0.rate) }
  }

  /// Lets what comes next begin where a plan ends.
  package mutating func advance(behind plan: Plan) {
    for (queue, planned) in plan.queues.enumerated() {
      if let finish = planned.finish { queues[queue].free = finish }
    }
  }

  /// When all open queues would be done at once, could so many bytes be poured into them like
  /// water: no plan ends earlier.
  ///
  /// - Parameter wireByteCount: bytes on the wire.
  /// - Returns: nanoseconds from the session's first byte, rounded up; nil where a queue has no
  ///   rate, or none is open.
  package func level(wireByteCount: UInt64) -> UInt64? {
    var open: [(free: UInt64, rate: UInt64)] = []
    for queue in queues where queue.isOpen {
      guard let rate = queue.rate else { return nil }
      open.append((queue.free, rate.bitsPerSecond))
    }
    open.sort { $0.free < $1.free }
    // Of the queues that are free first, as many as are needed: bits * 10^9 = sum of rate * time.
    var work = UInt128(wireByteCount) * 8 * UInt128(Duration.second)
    var rates: UInt128 = 0
    for (place, queue) in open.enumerated() {
      work += UInt128(queue.rate) * UInt128(queue.free)
      rates += UInt128(queue.rate)
      let level = (work + rates - 1) / rates
      let isLast = place + 1 == open.count
      if isLast || level <= UInt128(open[place + 1].free) { return UInt64(clamping: level) }
    }
    return nil
  }

  /// What is wrong with one that a peer announces.
  ///
  /// - Parameter next: as it arrived.
  /// - Returns: nil when it can follow this one.
  package func problem(with next: Generation) -> String? {
    if next.number != number &+ 1 { return "generation \(next.number) after \(number)" }
    if next.queues.count != queues.count { return "\(next.queues.count) queues" }
    if next.queues.contains(where: { $0.rate == nil }) { return "a queue without a rate" }
    if !next.queues.contains(where: { $0.isOpen }) { return "no queue that takes blocks" }
    return nil
  }
}
