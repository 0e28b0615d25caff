/// Looks at a disk as a cut of power left it.
struct PowerCheck {
  let check: TrialCheck
  let bench: TrialBench

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
      return findings.trees.complain("\(image): \(fileSystem.rawValue) does not mount")
    }
    check.look(wasDone: wasDone, &findings.trees, image)
    try check.runAgain(&findings.trees, image)
    bench.unmount()
    // From the medium: nothing of it is in memory any more.
    guard bench.mount(device, fileSystem) else {
      findings.unmountableCount += 1
      return findings.trees.complain("\(image): \(fileSystem.rawValue) does not mount again")
    }
    try check.lookAgain(&findings.trees, image)
    bench.unmount()
  }
}
