/// What a user changes of a transfer that runs.
package enum Adjustment: Equatable, Sendable {
  /// Each lane's rate from now on, as plans count it.
  case rates([Rate])
  /// No block is begun until `resume`.
  case pause
  case resume

  /// Why a rate cannot be had.
  package struct Refusal: Error, Equatable, Sendable {
    package var reason: String

    package init(_ reason: String) {
      self.reason = reason
    }
  }

  /// Shares a rate among lanes as they share theirs, at most what they began with.
  ///
  /// - Parameters:
  ///   - rate: of all lanes together, as users count it.
  ///   - asked: lanes with the rates that were asked for in the beginning.
  ///   - planned: the same lanes with the rates that plans count with.
  /// - Returns: `.rates`.
  /// - Throws: why a lane cannot have its part.
  package static func sharing(
    _ rate: Rate,
    among asked: [Lane],
    planned: [Lane]
  ) throws(Refusal) -> Adjustment {
    let total = asked.reduce(UInt64(0)) { $0 + ($1.rate?.bitsPerSecond ?? 0) }
    let parts: [Rate]
    if total == 0 {
      parts = Lane.split(rate, over: planned.count).compactMap { $0.rate }
    } else {
      // More was never asked of the network that reserves, nor of the hosts' capacities.
      if rate.bitsPerSecond > total {
        throw Refusal("it was admitted with \(total) bits per second in all, and gets no more")
      }
      parts = planned.compactMap { $0.rate?.scaled(by: rate.bitsPerSecond, over: total) }
    }
    for (part, lane) in zip(parts, planned) {
      guard part.bitsPerSecond >= UInt64(lane.connectionCount) else {
        throw Refusal("less than one bit per second and connection")
      }
      guard part.bitsPerSecond <= Limits.laneBitsPerSecond else {
        throw Refusal("a rate above \(Limits.laneBitsPerSecond) bits per second")
      }
    }
    return .rates(parts)
  }
}
