internal import Glibc

/// What one run took.
package struct Measurement: Codable, Sendable, Equatable {
  package var seconds: Double
  /// Core-seconds, of everything that worked.
  package var processorSeconds: Double
  /// The part of the end that was started first, and of the other; nil where nobody can tell.
  package var nearProcessorSeconds: Double?
  package var farProcessorSeconds: Double?
  /// Resident memory at its peak, of the largest process of each end.
  package var nearPeakByteCount: Int?
  package var farPeakByteCount: Int?

  /// Runs a contestant once.
  ///
  /// - Parameters:
  ///   - contestant: its target is not there.
  ///   - keeper: what gives memory back as the target grows.
  ///   - log: a file for what it prints.
  /// - Returns: what it took.
  /// - Throws: when it ends with another status than 0.
  static func run(
    _ contestant: Contestant,
    keeper: Keeper?,
    log: String
  ) throws(HarnessError) -> Measurement {
    var server: (daemon: Daemon, before: Double)?
    if case .programAndDaemon(let daemon) = contestant.ends {
      server = (daemon, daemon.processorSeconds)
    }
    keeper?.follow()
    let start = Waiting.now
    let pid = try Spawning.start(
      contestant.arguments,
      environment: contestant.environment,
      output: log
    )
    let waiting = Waiting(for: pid)
    var tree = ProcessTree(root: pid)
    var seen: [Int32: ProcessTree.Usage] = [:]
    var serverPeak = 0
    var turn = 0
    while waiting.end == nil {
      keeper?.follow()
      if turn % 8 == 0 {
        // Peaks come from here too: wait4's include what this process had before the exec.
        for (number, usage) in tree.sample(countsReaped: false) {
          // A process that is ending has no memory any more.
          let peak = max(usage.peakByteCount, seen[number]?.peakByteCount ?? 0)
          seen[number] = ProcessTree.Usage(
            processorSeconds: usage.processorSeconds,
            peakByteCount: peak
          )
        }
        serverPeak = max(serverPeak, server?.daemon.peakByteCount ?? 0)
      }
      turn += 1
      usleep(2000)
    }
    guard let end = waiting.end else { preconditionFailure("the loop ends with an end") }
    guard end.status == 0 else {
      let said = MachineFile.text(log).trimmed.suffix(500)
      throw HarnessError("\(contestant.name) ended with status \(end.status): \(said)")
    }

    var result = Measurement(
      seconds: Double(end.time - start) / 1e9,
      processorSeconds: end.processorSeconds
    )
    switch contestant.ends {
    case .together: result.nearPeakByteCount = seen.values.map { $0.peakByteCount }.max()
    case .programAndChildren:
      let children = seen.filter { $0.key != pid }.values
      let far = children.reduce(0) { $0 + $1.processorSeconds }
      result.farProcessorSeconds = far
      result.nearProcessorSeconds = max(0, end.processorSeconds - far)
      result.nearPeakByteCount = seen[pid]?.peakByteCount
      result.farPeakByteCount = children.map { $0.peakByteCount }.max()
    case .programAndDaemon:
      // The server's children may end a little later than the client.
      usleep(50_000)
      let far = server.map { $0.daemon.processorSeconds - $0.before } ?? 0
      result.processorSeconds += far
      result.farProcessorSeconds = far
      result.nearProcessorSeconds = end.processorSeconds
      result.nearPeakByteCount = seen.values.map { $0.peakByteCount }.max()
      result.farPeakByteCount = serverPeak
    }
    return result
  }
}
