// What the sender waits for, which the report tells in the end.
extension SendSession {
  /// What the session is at, as a whole.
  package var activity: Activity {
    guard phase == .moving else { return .sealing }
    if connections.contains(where: { !$0.unconfirmed.isEmpty }) { return .moving }
    // What the user holds is nobody's limit.
    if isPaused { return .idle }
    // The receiver's word on a segment lets the next one move, whatever is still to be scanned.
    let isComparing = segments.contains { $0.phase != .moving }
    if connections.isEmpty, !isComparing, !isScanning { return .opening }
    if isComparing { return .comparing }
    return isScanning ? .scanning : .settling
  }

  /// For each lane, whether it owes its rate: blocks wait for it or are on it, and nobody holds
  /// them back.
  package var lanesWithWork: [Bool] {
    var hasWork = configuration.inputs.lanes.map { _ in false }
    guard phase == .moving, !isPaused else { return hasWork }
    for (queue, work) in zip(queues, work) where work.pending.blockCount > 0 {
      for lane in queue.lanes { hasWork[lane] = true }
    }
    for connection in connections where !connection.unconfirmed.isEmpty {
      hasWork[connection.id.lane] = true
    }
    return hasWork
  }

  /// Whether all that is to be moved is known.
  package var isAllPlanned: Bool {
    isScanComplete && segments.allSatisfy { $0.plan != nil }
  }
}
