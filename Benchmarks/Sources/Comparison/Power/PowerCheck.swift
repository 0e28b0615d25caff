internal import DTXCore
internal import Foundation
internal import Glibc

/// Looks at a disk as a cut of power left it.
struct PowerCheck {
  let mover: PowerMover
  let program: String
  let source: String
  let bench: PowerBench

  /// Mounts the disk, checks what is there, runs the same command again, and checks the whole.
  ///
  /// - Parameters:
  ///   - image: the disk.
  ///   - fileSystem: that is on it.
  ///   - wasDone: the command had ended with 0 before the cut.
  ///   - findings: takes what is found.
  /// - Throws: when a tool is missing.
  func run(
    _ image: String,
    _ fileSystem: PowerFileSystem,
    wasDone: Bool,
    _ findings: inout PowerFindings
  ) throws(HarnessError) {
    if wasDone { findings.lateCutCount += 1 } else { findings.cutCount += 1 }
    let device = try bench.attach(image)
    defer { bench.detach(device) }
    guard bench.mount(device, fileSystem) else {
      findings.unmountableCount += 1
      return findings.complain("\(image): \(fileSystem.rawValue) does not mount")
    }
    let wrong = differences(isWhole: wasDone)
    if wasDone { findings.brokenPromiseCount += wrong.count }
    findings.wrongFileCount += wasDone ? 0 : wrong.count
    for text in wrong { findings.complain("\(image): \(text)") }
    if mover == .dtx { checkJournal(&findings, image) }
    try runAgain(&findings, image)
    bench.unmount()
    // From the medium: nothing of it is in memory any more.
    guard bench.mount(device, fileSystem) else {
      findings.unmountableCount += 1
      return findings.complain("\(image): \(fileSystem.rawValue) does not mount again")
    }
    let left = differences(isWhole: true)
    findings.unmendedFileCount += left.count
    for text in left { findings.complain("\(image): after the next run: \(text)") }
    if mover == .dtx, try bench.run([program, "verify", "--quiet", bench.tree]) != 0 {
      findings.unmendedFileCount += 1
      findings.complain("\(image): dtx verify finds differences")
    }
    bench.unmount()
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
      if there != FileManager.default.contents(atPath: "\(source)/\(name)") {
        found.append("\(name) has \(there.count) bytes, and not the source's")
      }
    }
    return found
  }

  /// Holds every extent that the journal calls durable to the source.
  private func checkJournal(_ findings: inout PowerFindings, _ image: String) {
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
        let meant = FileManager.default.contents(atPath: "\(source)/\(path)")
        for extent in file.extents {
          findings.claimedExtentCount += 1
          let range = Int(extent.offset)..<Int(extent.end)
          if let there, let meant, range.upperBound <= there.count,
            there[range] == meant[range]
          {
            continue
          }
          findings.lostExtentCount += 1
          findings.complain("\(image): \(path) at \(extent.offset) is not as the journal says")
        }
      }
    }
  }

  private func runAgain(_ findings: inout PowerFindings, _ image: String) throws(HarnessError) {
    let arguments = mover.arguments(
      program: program,
      source: source,
      target: bench.tree,
      isPaced: false,
      isBuffered: false
    )
    let status = try bench.run(arguments)
    if status != 0 {
      findings.failedRunCount += 1
      findings.complain("\(image): the next run ended with \(status): \(bench.lastLine)")
    }
    findings.datasetByteCount += bench.byteCount
    guard mover == .dtx, let data = bench.lastLine.data(using: .utf8),
      let summary = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    else { return }
    findings.resentByteCount += summary["bytes_sent"] as? Int ?? 0
  }
}
