internal import DTXCore

extension TransferReport {
  /// Puts the contracts that a user wrote in the place of the rates that the plan counted with.
  mutating func describeLanes(as request: TransferRequest) {
    guard !usesShellLane, lanes.count == request.lanes.count else { return }
    for (index, description) in request.lanes.enumerated() {
      lanes[index].listening = request.listening
      lanes[index].lane = description.lane
      lanes[index].route = description.route
      lanes[index].pace = description.pace
    }
  }

  /// What limited the transfer, if all is known that tells.
  ///
  /// - Parameter isOneHost: whether both ends share their processors.
  /// - Returns: nil unless it was completed.
  func limited(isOneHost: Bool) -> Limitation? {
    guard outcome == .completed, !isDryRun else { return nil }
    var evidence = Limitation.Evidence(sender: sender, receiver: receiver)
    evidence.isOneHost = isOneHost
    let paced = lanes.compactMap { lane in
      lane.lane.rate.map { TransferReport.nanoseconds(for: lane.sentByteCount, at: $0) }
    }
    if paced.count == lanes.count { evidence.pacedNanoseconds = paced.max() }
    for (lane, planned) in zip(lanes, prediction?.lanes ?? []) {
      guard let rate = lane.lane.rate, planned.byteCount > lane.sentByteCount else { continue }
      let short = planned.byteCount - lane.sentByteCount
      let nanoseconds = TransferReport.nanoseconds(for: short, at: rate)
      evidence.shortNanoseconds = max(evidence.shortNanoseconds, nanoseconds)
    }
    if wantedExtentCount > 0 { evidence.extentByteCount = wantedByteCount / wantedExtentCount }
    return Limitation(evidence)
  }

  private static func nanoseconds(for byteCount: UInt64, at rate: Rate) -> UInt64 {
    Rate(bitsPerSecond: max(rate.bitsPerSecond, 1)).nanoseconds(for: byteCount)
  }
}
