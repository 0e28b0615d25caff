/// What faults left of a dataset, over several runs.
package struct TrialFindings: Sendable {
  /// Files under their real names that were not those of the source.
  package var wrongFileCount = 0
  /// Files that were missing or wrong although the mover had said that all was done.
  package var brokenPromiseCount = 0
  /// Extents that the journal called durable, and of these, those that were not there.
  package var claimedExtentCount = 0
  package var lostExtentCount = 0
  /// Files that were still wrong after the same command had run again, and said that it was done.
  package var unmendedFileCount = 0
  /// Runs of the same command that failed.
  package var failedRunCount = 0
  /// What these runs sent of the dataset's bytes; all of these would be a transfer from the
  /// beginning.
  package var resentByteCount = 0
  package var datasetByteCount = 0
  /// The first of what was found, for people.
  package var complaints: [String] = []

  package init() {}

  /// Nothing was lost, and nothing was wrong.
  package var isClean: Bool {
    wrongFileCount + brokenPromiseCount + lostExtentCount + unmendedFileCount + failedRunCount == 0
  }

  /// What the next runs sent of the dataset, in per cent.
  package var resentPercentage: Double {
    100 * Double(resentByteCount) / Double(max(1, datasetByteCount))
  }

  mutating func complain(_ text: String) {
    if complaints.count < 20 { complaints.append(text) }
  }

  package static func += (left: inout TrialFindings, right: TrialFindings) {
    left.wrongFileCount += right.wrongFileCount
    left.brokenPromiseCount += right.brokenPromiseCount
    left.claimedExtentCount += right.claimedExtentCount
    left.lostExtentCount += right.lostExtentCount
    left.unmendedFileCount += right.unmendedFileCount
    left.failedRunCount += right.failedRunCount
    left.resentByteCount += right.resentByteCount
    left.datasetByteCount += right.datasetByteCount
    for text in right.complaints { left.complain(text) }
  }
}
