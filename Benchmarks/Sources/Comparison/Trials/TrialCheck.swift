internal import DTXCore
internal import Foundation

/// Holds to the source what a mover left in its tree.
struct TrialCheck {
  let mover: TrialMover
  let program: String
  let bench: TrialBench
  /// A file that has changed, as it was before: who had read it by then has it so.
  var earlier: (name: String, bytes: Data)?

  /// Looks at what a run left that did not end well, or was cut off.
  ///
  /// - Parameters:
  ///   - wasDone: the command had ended with 0.
  ///   - findings: takes what is found.
  ///   - what: names the run.
  func look(wasDone: Bool, _ findings: inout TrialFindings, _ what: String) {
    let wrong = differences(isWhole: wasDone)
    if wasDone {
      findings.brokenPromiseCount += wrong.count
    } else {
      findings.wrongFileCount += wrong.count
    }
    for text in wrong { findings.complain("\(what): \(text)") }
    checkJournal(&findings, what)
  }

  /// Runs the command again, or the one that puts right what has rotted.
  func runAgain(
    isMending: Bool = false,
    _ findings: inout TrialFindings,
    _ what: String
  ) throws(HarnessError) {
    let arguments =
      isMending
      ? mover.mendingArguments(program: program, source: bench.source, target: bench.tree)
      : mover.arguments(
        program: program,
        source: bench.source,
        target: bench.tree,
        isPaced: false,
        isBuffered: false
      )
    let status = try bench.run(arguments)
    if status != 0 {
      findings.failedRunCount += 1
      findings.complain("\(what): the next run ended with \(status): \(bench.lastLine)")
    }
    findings.datasetByteCount += bench.byteCount
    findings.resentByteCount += mover.sentByteCount(bench.lines) ?? 0
  }

  /// Looks whether all is there and right after the next run.
  func lookAgain(_ findings: inout TrialFindings, _ what: String) throws(HarnessError) {
    let left = differences(isWhole: true)
    findings.unmendedFileCount += left.count
    for text in left { findings.complain("\(what): after the next run: \(text)") }
    if mover == .dtx, try bench.run([program, "verify", "--quiet", bench.tree]) != 0 {
      findings.unmendedFileCount += 1
      findings.complain("\(what): dtx verify finds differences")
    }
  }

  /// Files that are not as at the source; those that are missing count when all must be there.
  private func differences(isWhole: Bool) -> [String] {
    var found: [String] = []
    for name in bench.names {
      let path = "\(bench.tree)/\(name)"
      guard let there = FileManager.default.contents(atPath: path) else {
        if isWhole { found.append("\(name) is missing") }
        continue
      }
      let meant = FileManager.default.contents(atPath: "\(bench.source)/\(name)")
      let isEarlier = earlier.map { $0.name == name && $0.bytes == there } ?? false
      if there != meant, !isEarlier {
        found.append("\(name) has \(there.count) bytes, and not the source's")
      }
    }
    return found
  }

  /// Holds every extent that the journal calls durable to the source.
  private func checkJournal(_ findings: inout TrialFindings, _ what: String) {
    guard mover == .dtx else { return }
    let state = "\(bench.tree)/.dtx"
    let keys = (try? FileManager.default.contentsOfDirectory(atPath: state)) ?? []
    for key in keys {
      guard let bytes = FileManager.default.contents(atPath: "\(state)/\(key)/journal") else {
        continue
      }
      for file in JournalReplay([UInt8](bytes)).files {
        let path = String(decoding: file.identity.path, as: UTF8.self)
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let staged = (parts.dropLast() + [".\(parts.last ?? "").dtx-\(key)"]).joined(separator: "/")
        // What was published after its last record is under its own name.
        let there =
          FileManager.default.contents(atPath: "\(bench.tree)/\(staged)")
          ?? FileManager.default.contents(atPath: "\(bench.tree)/\(path)")
        let meant = FileManager.default.contents(atPath: "\(bench.source)/\(path)")
        for extent in file.extents {
          findings.claimedExtentCount += 1
          let range = Int(extent.offset)..<Int(extent.end)
          if let there, let meant, range.upperBound <= there.count,
            there[range] == meant[range]
          {
            continue
          }
          findings.lostExtentCount += 1
          findings.complain("\(what): \(path) at \(extent.offset) is not as the journal says")
        }
      }
    }
  }
}
