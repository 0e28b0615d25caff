internal import DTXCore

// What lies at the receiver, and what is said of it.
extension Auditor {
  /// Evidence against `Invariant.durableBeforeAcknowledged`.
  package func durableBeforeAcknowledged() -> String? {
    for case .acknowledged(let block, _, let missing?) in record.observations {
      return "\(block): \(missing)"
    }
    return nil
  }

  /// Evidence against `Invariant.journalPrefix`.
  package func journalPrefix() -> String? {
    for case .journalCrashed(let byteCount, let synced, let valid, let isPrefix)
      in record.observations
    {
      if !isPrefix { return "\(valid) bytes count that were never written so" }
      if valid < synced { return "\(valid) of \(byteCount) bytes count, but \(synced) were synced" }
    }
    return nil
  }

  /// Evidence against `Invariant.resendBounded`.
  ///
  /// The bound: two epochs of a second each, in either of which the windows may empty themselves.
  package func resendBounded() -> String? {
    var limit = 2 * world.totalRate.byteCount(in: Limits.epochNanoseconds)
    let connectionCount = world.inputs.lanes.reduce(0) { $0 + $1.connectionCount }
    let blockByteCount = max(world.blockByteCount, world.laterBlockByteCount ?? 0)
    limit += 2 * UInt64(connectionCount * (world.windowBlockCount + 2)) * blockByteCount
    var pending: UInt64 = 0
    for observation in record.observations {
      switch observation {
      case .began:
        pending = 0
      case .received(_, let byteCount):
        pending += byteCount
        if pending > limit { return "\(pending) bytes arrived and are not durable, over \(limit)" }
      case .acknowledged(_, let byteCount, _), .damaged(_, let byteCount):
        pending -= min(pending, byteCount)
      default:
        break
      }
    }
    return nil
  }

  /// Evidence against `Invariant.acknowledgedStays`.
  package func acknowledgedStays() -> String? {
    var safe: [ExtentClaim] = []
    for observation in record.observations {
      switch observation {
      case .safe(let claim):
        safe.append(claim)
      case .forgotten(let path):
        safe.removeAll { $0.identity.path == path }
      case .wanted(let claim):
        guard safe.contains(claim) else { continue }
        let name = String(decoding: claim.identity.path, as: UTF8.self)
        return "\(name) at \(claim.offset) was acknowledged, and is wanted again"
      default:
        break
      }
    }
    return nil
  }

  /// Evidence against `Invariant.wholeFiles`.
  package func wholeFiles() -> String? {
    for case .published(let path, false) in record.observations {
      return "\(String(decoding: path, as: UTF8.self)) was published with parts missing"
    }
    return nil
  }

  /// Evidence against `Invariant.noOrphan`.
  package func noOrphan() -> String? {
    guard record.isFinished else { return nil }
    if let path = record.disk.staged.paths.first {
      return "\(String(decoding: path, as: UTF8.self)) is still staged"
    }
    return record.disk.journal.isEmpty ? nil : "a journal is left"
  }
}
