internal import DTXCore
internal import DTXLinux

/// The first connections of a transfer, by which the end that dials finds out whether lanes can be
/// had at all.
struct LaneTrial: Sendable {
  /// One for each lane.
  let dialers: [LaneDialer]
  /// Whether lanes go ways of their own: that the first can be opened says nothing of the others then.
  let triesAll: Bool

  /// Opens a connection of the first lane, then one of each other lane that has a way of its own,
  /// all of these at the same time.
  ///
  /// - Returns: the connections, and the lanes that could not be opened; the others are not tried
  ///   where the first is one of these.
  func open() -> (opened: [OpenedLane], failures: [DialReport.Failure]) {
    do throws(LaneError) {
      let first = try dialers[0].dial(LaneIdentity(lane: 0, number: 1))
      let (others, failures) = triesAll ? openOthers() : ([], [])
      return ([first] + others, failures)
    } catch {
      return ([], [DialReport.Failure(lane: 0, reason: "\(error)")])
    }
  }

  /// What a connection that proves nothing and is closed at once shows of the first lane's path.
  ///
  /// - Returns: nil where nothing answers.
  func look() -> DialReport.Path? {
    dialers[0].look().map { DialReport.Path(of: $0) }
  }

  private func openOthers() -> ([OpenedLane], [DialReport.Failure]) {
    let others = dialers.indices.dropFirst()
    let results = Guarded([Result<OpenedLane, LaneError>?](repeating: nil, count: dialers.count))
    for lane in others {
      let dialer = dialers[lane]
      let dial: @Sendable () -> Void = {
        let result = Result { () throws(LaneError) in
          try dialer.dial(LaneIdentity(lane: lane, number: 1))
        }
        results.withLockAndSignal { $0[lane] = result }
      }
      do throws(SystemError) {
        _ = try Thread(name: "dtx-dial-\(lane)", dial)
      } catch {
        results.withLock { $0[lane] = .failure(.system(error)) }
      }
    }
    let all = results.wait(until: { results in
      let opened = results.dropFirst()
      return opened.contains { $0 == nil } ? nil : opened.compactMap { $0 }
    })
    var opened: [OpenedLane] = []
    var failures: [DialReport.Failure] = []
    for (lane, result) in zip(others, all ?? []) {
      switch result {
      case .success(let one): opened.append(one)
      case .failure(let error):
        failures.append(DialReport.Failure(lane: lane, reason: "\(error)"))
      }
    }
    return (opened, failures)
  }
}

extension DialReport.Path {
  /// What a connection shows of its path.
  ///
  /// - Parameter socket: connected.
  init(of socket: Socket) {
    let info = try? socket.tcpInfo()
    self.init(
      shape: SegmentShape(of: socket) ?? .usual,
      roundTripNanoseconds: UInt64(info?.minimumRoundTripMicroseconds ?? 0) * 1000
    )
  }
}
