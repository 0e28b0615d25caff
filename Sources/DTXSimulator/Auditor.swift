internal import DTXCore

/// Looks for what must not happen in the record of a simulation.
///
/// Each invariant is a function that returns the first evidence against it, or nil.
package struct Auditor: Sendable {
  package let record: SimulationRecord

  package init(_ record: SimulationRecord) {
    self.record = record
  }

  var world: World { record.world }

  /// All that one record shows.
  package func findings() -> [Finding] {
    let checks: [(Invariant, String?)] = [
      (.bounded, bounded()),
      (.honest, honest()),
      (.conserved, conserved()),
      (.pinned, pinned()),
      (.reserved, reserved()),
      (.durableBeforeAcknowledged, durableBeforeAcknowledged()),
      (.journalPrefix, journalPrefix()),
      (.resendBounded, resendBounded()),
      (.acknowledgedStays, acknowledgedStays()),
      (.wholeFiles, wholeFiles()),
      (.noOrphan, noOrphan()),
      (.singleWriter, singleWriter()),
    ]
    return checks.compactMap { invariant, evidence in
      evidence.map { Finding(invariant: invariant, evidence: $0) }
    }
  }

  // MARK: - How it went

  /// Evidence against `Invariant.bounded`.
  package func bounded() -> String? {
    for (number, run) in record.runs.enumerated() where run.isStuck {
      return "run \(number) has no end after \(run.stepCount) events"
    }
    return record.isFinished ? nil : "not done after \(record.runs.count) runs"
  }

  /// Evidence against `Invariant.honest`.
  package func honest() -> String? {
    for (number, run) in record.runs.enumerated() {
      for outcome in [run.sender, run.receiver] {
        guard case .failed(let failure) = outcome else { continue }
        switch failure.kind {
        case .protocolViolation, .integrity, .locked:
          return "run \(number): \(failure.kind): \(failure.reason)"
        case .peerGone, .noLane, .lane, .peerFailed, .storage:
          break
        }
      }
    }
    return record.hasDryRunChangedDisk ? "a rehearsal changed the destination" : nil
  }

  /// Evidence against `Invariant.seedIdentical`: the other simulation had the same world and faults.
  package func seedIdentical(to other: SimulationRecord) -> String? {
    if record.traceDigest == other.traceDigest, record.stepCount == other.stepCount { return nil }
    return "\(record.stepCount) events and then \(other.stepCount)"
  }

  /// Evidence against `Invariant.faultInvariant`.
  ///
  /// Compares with a simulation of the same world without faults, whose source was from the first
  /// what this one's was in the end.
  package func faultInvariant(to clean: SimulationRecord) -> String? {
    guard record.isFinished, clean.isFinished else { return nil }
    let mine = TreeAudit(record)
    let theirs = TreeAudit(clean)
    if mine.roots != theirs.roots { return "the trees differ" }
    guard let sealed = lastRoots(of: record), let cleanSealed = lastRoots(of: clean) else {
      return "nothing was sealed"
    }
    if sealed.unread == 0, cleanSealed.unread == 0,
      sealed.blockByteCount == cleanSealed.blockByteCount,
      sealed.roots != cleanSealed.roots
    {
      return "the manifests differ"
    }
    return nil
  }

  private func lastRoots(
    of record: SimulationRecord
  ) -> (roots: Roots, unread: UInt64, blockByteCount: UInt64)? {
    for case .sealed(_, let roots, let unread) in record.observations.reversed() {
      return (roots, unread, record.world.blockByteCount(ofRun: record.runs.count - 1))
    }
    return nil
  }
}

/// What stands at the destination, held against the source.
struct TreeAudit {
  /// Of a manifest of all entries that stand at the destination as they should.
  let roots: Roots
  /// The first entry that does not.
  let problem: String?

  init(_ record: SimulationRecord) {
    let blockByteCount = record.world.blockByteCount
    let header = ManifestHeader(blockByteCount: blockByteCount, rootAlgorithm: .xxh3)
    var builder = RootBuilder(header: header, hash: .xxh3)
    var problem: String?
    let segments = record.source.segments(
      entryLimit: record.world.segmentEntryCount,
      blockByteCount: blockByteCount
    )
    for segment in segments {
      var excluded = BitSet(count: segment.entries.count)
      for index in segment.entries.indices {
        let path = segment.inventory.path(of: index)
        guard let source = record.source.entries[path],
          let found = TreeAudit.difference(source, record.disk.published[path])
        else { continue }
        excluded[index] = true
        if problem == nil, !segment.entries[index].isContext,
          !TreeAudit.isInTheWay(path, record)
        {
          problem = "\(String(decoding: path, as: UTF8.self)): \(found)"
        }
      }
      let digests = segment.extents.map { extent in
        let path = segment.inventory.path(of: Int(extent.entry))
        let byteCount = UInt64(extent.byteCount)
        return record.source.entries[path]?.digest(offset: extent.offset, byteCount: byteCount)
          ?? .zero
      }
      let part = ManifestSegment(
        segment,
        digests: digests,
        excluded: excluded,
        blockByteCount: blockByteCount
      )
      _ = builder.add(part)
    }
    roots = builder.finish()
    self.problem = problem
  }

  /// What tells an entry at the destination from the source's; nil when nothing does.
  private static func difference(_ source: SourceEntry, _ found: DestinationEntry?) -> String? {
    guard let found else { return "missing" }
    if found.kind != source.kind { return "of another kind" }
    if found.modified != source.modified { return "another time" }
    if found.mode != source.mode { return "another mode" }
    if found.byteCount != source.byteCount { return "another length" }
    if found.linkTarget != source.linkTarget { return "another target" }
    var dataByteCount: UInt64 = 0
    for extent in found.extents {
      dataByteCount += extent.byteCount
      let isInRange = source.ranges.contains {
        $0.lowerBound <= extent.offset && extent.end <= $0.upperBound
      }
      guard isInRange, extent.content == source.content else {
        return "other bytes at \(extent.offset)"
      }
    }
    let expected = source.ranges.reduce(UInt64(0)) { $0 + ($1.upperBound - $1.lowerBound) }
    return dataByteCount == expected ? nil : "\(dataByteCount) of \(expected) bytes"
  }

  /// Whether what stood there before, at the path or above it, keeps the entry from its place.
  private static func isInTheWay(_ path: [UInt8], _ record: SimulationRecord) -> Bool {
    var ends = path.indices.filter { path[$0] == UInt8(ascii: "/") }
    ends.append(path.count)
    return ends.contains { end in
      let above = Array(path[..<end])
      guard let before = record.world.destination[above] else { return false }
      return before.kind != record.source.entries[above]?.kind
    }
  }
}
