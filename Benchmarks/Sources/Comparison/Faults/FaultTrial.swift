internal import Foundation
internal import Glibc

/// Transfers under which one call, which a lot decides, goes wrong.
package struct FaultTrial {
  private let bench: TrialBench
  private let program: String
  private let faultLibrary: String
  private var lot: Lot

  /// Makes what is to be moved.
  ///
  /// - Parameters:
  ///   - program: dtx.
  ///   - faultLibrary: is preloaded: Tests/CFaults.
  ///   - arena: a place for all of it.
  ///   - seed: the same one gives the same dataset and the same lots.
  /// - Throws: when it cannot be written.
  package init(
    program: String,
    faultLibrary: String,
    in arena: Arena,
    seed: UInt64
  ) throws(HarnessError) {
    self.program = program
    self.faultLibrary = faultLibrary
    bench = try TrialBench(in: arena, seed: seed)
    lot = Lot(seed: seed)
  }

  /// Lets a fault come about so many times, and checks what each leaves.
  ///
  /// - Parameters:
  ///   - fault: what goes wrong.
  ///   - mover: what moves.
  ///   - runCount: how often.
  /// - Returns: what was found; no run where the mover makes no such call.
  /// - Throws: when a tool is missing, or a transfer without a fault fails.
  package mutating func run(
    _ fault: InjectedFault,
    _ mover: TrialMover,
    runCount: Int
  ) throws(HarnessError) -> FaultFindings {
    let check = TrialCheck(mover: mover, program: program, bench: bench)
    var findings = FaultFindings()
    guard let request = fault.request else {
      for run in 0..<runCount {
        try rot(check, &findings, "\(mover.name), \(fault.rawValue), run \(run)")
      }
      return findings
    }
    let callCount = try countCalls(fault, mover, request.call)
    // One that comes late may not come at all: threads share their work in another way each time.
    for _ in 0..<3 * runCount where callCount > 0 && findings.runCount < runCount {
      let number = Int.random(in: 1...callCount, using: &lot)
      let text = "\(request.action):\(request.call):*:\(number):\(request.argument)"
      try inject(fault, text, check, &findings, "\(mover.name), \(fault.rawValue), \(text)")
    }
    return findings
  }

  // MARK: - Parts

  private var log: String { bench.place("calls") }

  private func environment(_ fault: InjectedFault, _ request: String?) -> [String: String] {
    var variables = [
      "LD_PRELOAD": faultLibrary, "FAULTS_LOG": log,
      "FAULTS_ROOT": fault.isAtSource ? bench.source : bench.tree,
    ]
    variables["FAULTS_CALL"] = request
    return variables
  }

  private func makeEmptyTree() throws(HarnessError) {
    for path in [log, "\(log).reached", "\(log).go"] { unlink(path) }
    MachineFile.remove(bench.tree)
    try MachineFile.makeDirectory(bench.tree)
  }

  private func arguments(_ mover: TrialMover, isPaced: Bool) -> [String] {
    mover.arguments(
      program: program,
      source: bench.source,
      target: bench.tree,
      isPaced: isPaced,
      isBuffered: true
    )
  }

  /// The calls of the process that makes most of them, in a run without a fault.
  private func countCalls(
    _ fault: InjectedFault,
    _ mover: TrialMover,
    _ pattern: String
  ) throws(HarnessError) -> Int {
    try makeEmptyTree()
    let status = try bench.run(
      arguments(mover, isPaced: isPaced(fault)),
      environment: environment(fault, nil)
    )
    guard status == 0 else {
      throw HarnessError("\(mover.name) ended with \(status): \(bench.lastLine)")
    }
    var counts: [Substring: Int] = [:]
    for line in MachineFile.lines(log) {
      let fields = line.split(separator: "\t", maxSplits: 4, omittingEmptySubsequences: false)
      guard fields.count == 5, fields[0] == "begin", fnmatch(pattern, String(fields[3]), 0) == 0
      else { continue }
      counts[fields[1], default: 0] += 1
    }
    return counts.values.max() ?? 0
  }

  /// A transfer that is killed is to have several commits behind it.
  private func isPaced(_ fault: InjectedFault) -> Bool {
    fault == .killWriting || fault == .killReading
  }

  private func inject(
    _ fault: InjectedFault,
    _ request: String,
    _ check: TrialCheck,
    _ findings: inout FaultFindings,
    _ what: String
  ) throws(HarnessError) {
    try makeEmptyTree()
    var check = check
    let status = try bench.run(
      arguments(check.mover, isPaced: isPaced(fault)),
      environment: environment(fault, request)
    ) { () throws(HarnessError) in
      if fault == .sourceChange { check.earlier = try changeWhatIsRead() }
    }
    guard access("\(log).reached", F_OK) == 0 else { return }
    findings.runCount += 1
    if status == 0 { findings.doneCount += 1 }
    check.look(wasDone: status == 0, &findings.trees, what)
    try check.runAgain(&findings.trees, what)
    try check.lookAgain(&findings.trees, what)
  }

  /// While a read is held: gives the file that it reads other bytes, of the same number and time.
  ///
  /// - Returns: what it was before; nil where no read was held.
  private func changeWhatIsRead() throws(HarnessError) -> (name: String, bytes: Data)? {
    // The file is made before its one word is written.
    for _ in 0..<5_000 where MachineFile.text("\(log).reached").isEmpty { usleep(2_000) }
    defer { try? MachineFile.write("", to: "\(log).go") }
    let name = MachineFile.text("\(log).reached")
    if name.isEmpty { return nil }
    let before = try overwrite("\(bench.source)/\(name)") { bytes in
      for index in bytes.indices { bytes[index] = ~bytes[index] }
    }
    return (name, before)
  }

  /// Gives a file other bytes in their places; its time stays.
  ///
  /// - Returns: what it had.
  @discardableResult
  private func overwrite(
    _ path: String,
    _ change: (inout Data) -> Void
  ) throws(HarnessError) -> Data {
    var status = stat()
    guard stat(path, &status) == 0, let before = FileManager.default.contents(atPath: path),
      let file = FileHandle(forWritingAtPath: path)
    else { throw HarnessError("open", path, errno) }
    var bytes = before
    change(&bytes)
    file.write(bytes)
    try? file.close()
    guard utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0) == 0 else {
      throw HarnessError("utimensat", path, errno)
    }
    return before
  }

  /// Inverts a byte of a file that was moved, and lets the mover find it.
  private mutating func rot(
    _ check: TrialCheck,
    _ findings: inout FaultFindings,
    _ what: String
  ) throws(HarnessError) {
    try makeEmptyTree()
    guard try bench.run(arguments(check.mover, isPaced: false)) == 0 else {
      throw HarnessError("\(what): the transfer failed: \(bench.lastLine)")
    }
    let name = bench.names[Int.random(in: 0..<4, using: &lot)]
    let path = "\(bench.tree)/\(name)"
    let place = UInt64.random(in: 0...UInt64.max, using: &lot)
    try overwrite(path) { bytes in
      bytes[Int(place % UInt64(bytes.count))] ^= 0xff
    }
    findings.runCount += 1
    try check.runAgain(isMending: true, &findings.trees, what)
    try check.lookAgain(&findings.trees, what)
  }
}
