internal import Glibc

/// Transfers onto a disk whose power is cut at moments that a lot decides.
package struct PowerTrial {
  /// XFS wants 300 MiB at the least.
  private static let diskByteCount = 320 << 20

  private let bench: TrialBench
  private let program: String

  /// Makes what is to be moved.
  ///
  /// - Parameters:
  ///   - program: dtx.
  ///   - arena: a place for all of it, which holds a disk for each cut of one transfer.
  ///   - seed: the same one gives the same dataset.
  /// - Throws: when it cannot be written.
  package init(program: String, in arena: Arena, seed: UInt64) throws(HarnessError) {
    self.program = program
    bench = try TrialBench(in: arena, seed: seed)
    try MachineFile.makeDirectory(bench.place("disk"))
  }

  /// Runs one transfer with so many cuts, and one more when it has ended; checks what each leaves.
  ///
  /// - Parameters:
  ///   - mover: what moves.
  ///   - fileSystem: on the disk.
  ///   - cutCount: while it runs.
  ///   - operationCount: what such a transfer makes the disk do; 0 while unknown, and then there is
  ///     no cut while it runs.
  ///   - seed: of this transfer.
  /// - Returns: what was found, and what the disk was made to do.
  /// - Throws: when a tool is missing, or the transfer fails.
  package func run(
    _ mover: TrialMover,
    _ fileSystem: PowerFileSystem,
    cutCount: Int,
    operationCount: Int,
    seed: UInt64
  ) throws(HarnessError) -> (findings: PowerFindings, operationCount: Int) {
    var lot = Lot(seed: seed)
    let (images, last, seen) = try transfer(
      mover,
      fileSystem,
      after: operationCount > 0
        ? (0..<cutCount).map { _ in Int.random(in: 1...operationCount, using: &lot) } : [],
      // Both ways to the disk, in turn.
      isBuffered: seed.isMultiple(of: 2),
      lot
    )
    defer { for image in images + [last] { unlink(image) } }
    var findings = PowerFindings()
    let check = PowerCheck(
      check: TrialCheck(mover: mover, program: program, bench: bench),
      bench: bench
    )
    for image in images where access(image, F_OK) == 0 {
      try check.run(image, fileSystem, wasDone: false, &findings)
    }
    try check.run(last, fileSystem, wasDone: true, &findings)
    return (findings, seen)
  }

  private func transfer(
    _ mover: TrialMover,
    _ fileSystem: PowerFileSystem,
    after moments: [Int],
    isBuffered: Bool,
    _ lot: Lot
  ) throws(HarnessError) -> (images: [String], last: String, operationCount: Int) {
    let disk = try CutDisk(
      at: bench.place("disk"),
      byteCount: PowerTrial.diskByteCount,
      lot: lot
    )
    defer { disk.unmount() }
    let device = try bench.attach(disk.path)
    defer { bench.detach(device) }
    try bench.tool(fileSystem.makeArguments(device))
    guard bench.mount(device, fileSystem) else {
      throw HarnessError("mount \(device): \(bench.lastLine)")
    }
    defer { bench.unmount() }
    try MachineFile.makeDirectory(bench.tree)
    try bench.tool(["sync", "-f", bench.tree])
    let images = moments.indices.map { bench.place("cut-\($0)") }
    for image in images { unlink(image) }
    let before = disk.operationCount
    disk.cut(at: Array(zip(moments, images)))
    let status = try bench.run(
      mover.arguments(
        program: program,
        source: bench.source,
        target: bench.tree,
        isPaced: true,
        isBuffered: isBuffered
      )
    )
    let seen = disk.operationCount - before
    let last = bench.place("cut-last")
    try disk.cut(to: last)
    guard status == 0 else {
      throw HarnessError("\(mover.name) ended with \(status): \(bench.lastLine)")
    }
    return (images, last, seen)
  }
}
