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
      lane.lane.rate.map { rate in
        let bits = UInt128(lane.sentByteCount) * 8 * UInt128(Duration.second)
        return UInt64(clamping: bits / UInt128(max(rate.bitsPerSecond, 1)))
      }
    }
    if paced.count == lanes.count { evidence.pacedNanoseconds = paced.max() }
    return Limitation(evidence)
  }
}
