internal import Foundation
internal import Glibc

/// Runs transfers that a drawn cause holds up, as root.
package final class BlindStage {
  private let program: String
  private let arena: Arena
  private let shell: Shell
  private let seconds: Int
  private var log: String { "\(arena.state)/forecast-log" }

  /// Makes the stage.
  ///
  /// - Parameters:
  ///   - program: dtx.
  ///   - seconds: how long a run shall take, about.
  ///   - work: a directory in memory, with room for some gigabytes.
  /// - Throws: when it cannot be written to.
  package init(program: String, seconds: Int, in work: String) throws(HarnessError) {
    self.program = program
    self.seconds = seconds
    arena = try Arena(in: work)
    shell = Shell(arena)
  }

  /// Runs one.
  ///
  /// - Parameter cause: what holds it up.
  /// - Returns: what was seen.
  /// - Throws: when the cause cannot be made, or the program fails.
  package func run(_ cause: DrawnCause) throws(HarnessError) -> ForecastTrial {
    unlink(log)
    switch cause.kind {
    case .sourceDisk: try sourceDisk(cause.drawn(60...160) * 1_000_000)
    case .targetDisk: try targetDisk(cause.drawn(60...160) * 1_000_000)
    case .files: try files(cause.drawn(400...1500))
    case .processors: try processors(cause.drawn(256...1024))
    case .competitor: try competitor(cause.drawn(400...1000), cause.drawn(25...55))
    case .lane: try lane(cause.drawn(200...500), cause.drawn(45...80))
    }
    return try ForecastTrial(log: log, cause: cause)
  }

  /// Cuts one of four lanes for a while.
  ///
  /// - Returns: what was seen.
  /// - Throws: when the network cannot be made, or the program fails.
  package func cut() throws(HarnessError) -> ForecastTrial {
    unlink(log)
    let network = try LaneNetwork(laneCount: 4, in: arena)
    let lanes = (0..<4).map { contract(250, $0) }
    let bytes = 4 * 250 * 125_000 * 40
    let pid = try push(network, lanes, byteCount: bytes, log)
    sleep(10)
    try network.hold(3, true)
    sleep(12)
    try network.hold(3, false)
    try end(pid)
    return try ForecastTrial(log: log, cause: nil)
  }

  // MARK: - The causes

  private func sourceDisk(_ rate: Int) throws(HarnessError) {
    let byteCount = rate * seconds
    let disk = try SlowDisk(byteCount: byteCount + (256 << 20), in: arena, shell)
    let files = 8
    for file in 0..<files {
      let size = (byteCount / files) >> 20
      try shell.run(
        "mkdir -p \(disk.path)/data; openssl enc -aes-128-ctr -pass pass:\(file) -nosalt "
          + "-in /dev/zero 2>/dev/null | head -c \(size)M > \(disk.path)/data/\(file)"
      )
    }
    try disk.forget()
    try disk.set("read_bps", rate)
    try push(["\(disk.path)/data/", "--sink-null", "\(arena.targets)/nowhere"])
  }

  private func targetDisk(_ rate: Int) throws(HarnessError) {
    let byteCount = rate * seconds
    let disk = try SlowDisk(byteCount: byteCount + byteCount / 8 + (256 << 20), in: arena, shell)
    try disk.set("write_bps", rate)
    try push(["--source-null", "\(byteCount)", "\(disk.path)/data"])
  }

  private func files(_ rate: Int) throws(HarnessError) {
    // ext4 makes a small file durable with some 1.2 writes.
    let count = rate * seconds * 8 / 10
    let disk = try SlowDisk(byteCount: 4 << 30, in: arena, shell)
    let source = "\(arena.sources)/files"
    MachineFile.remove(source)
    try shell.run(
      "for d in $(seq 1 \(count / 500)); do mkdir -p \(source)/$d; "
        + "head -c 1024000 /dev/urandom | split -b 2048 -a 3 - \(source)/$d/; done"
    )
    try disk.set("write_iops", rate)
    try push(["\(source)/", "\(disk.path)/data"])
  }

  private func processors(_ weight: Int) throws(HarnessError) {
    let group = "/sys/fs/cgroup/cpu/dtx-compare-\(getpid())"
    try shell.run("mkdir -p \(group); echo \(weight) > \(group)/cpu.shares")
    var spinners: [pid_t] = []
    defer {
      for pid in spinners {
        kill(pid, SIGKILL)
        _ = Spawning.wait(pid)
      }
      _ = try? shell.run("rmdir \(group)")
    }
    for _ in 0..<2 {
      let line = "echo $$ > \(group)/tasks; while :; do :; done"
      spinners.append(try Spawning.start(["sh", "-c", line], output: "\(arena.state)/spinner"))
    }
    let byteCount = BlindStage.processorRate * seconds
    try push(["--source-null", "\(byteCount)", "--sink-null", "\(arena.targets)/nowhere"])
  }

  /// What two busy processors move with both ends on them, in bytes a second, about.
  private static let processorRate = 5_000_000_000

  private func competitor(_ megabits: Int, _ percent: Int) throws(HarnessError) {
    let network = try LaneNetwork(laneCount: 2, in: arena)
    try network.limit(0, megabits: megabits)
    try network.join(1, to: 0)
    let theirs = megabits * percent / 100
    let other = "\(arena.state)/competitor-log"
    let rival = try push(network, [contract(theirs, 1)], byteCount: theirs * 125_000 * 600, other)
    defer {
      // A program that was started in the background may have been told to ignore SIGINT.
      kill(rival, SIGTERM)
      _ = Spawning.wait(rival)
    }
    sleep(2)
    let byteCount = (megabits - theirs) * 125_000 * seconds
    try end(try push(network, [ends(0)], byteCount: byteCount, log))
  }

  private func lane(_ megabits: Int, _ percent: Int) throws(HarnessError) {
    let network = try LaneNetwork(laneCount: 2, in: arena)
    try network.limit(1, megabits: megabits * percent / 100)
    let byteCount = megabits * (100 + percent) / 100 * 125_000 * seconds
    let lanes = [contract(megabits, 0), contract(megabits, 1)]
    try end(try push(network, lanes, byteCount: byteCount, log))
  }

  // MARK: - dtx

  private func ends(_ lane: Int) -> String {
    "bind=\(LaneNetwork.source(lane)),to=\(LaneNetwork.target(lane))"
  }

  private func contract(_ megabits: Int, _ lane: Int) -> String {
    "rate=\(megabits)M,reserved,\(ends(lane))"
  }

  /// Starts a transfer of nothing to nowhere between the two machines.
  private func push(
    _ network: LaneNetwork,
    _ lanes: [String],
    byteCount: Int,
    _ log: String
  ) throws(HarnessError) -> pid_t {
    var arguments = network.onNear
    arguments += ["XDG_STATE_HOME=\(arena.state)/\(lanes.count)-\(byteCount)", program, "push"]
    arguments += ["--json", "--compress", "off", "--rsh", try network.remoteShell()]
    arguments += ["--dtx-path", program, "--source-null", "\(byteCount)", "--sink-null"]
    for lane in lanes { arguments += ["--lane", lane] }
    return try Spawning.start(arguments + ["far:nowhere-\(byteCount)"], output: log)
  }

  /// Runs a transfer within this machine.
  private func push(_ arguments: [String]) throws(HarnessError) {
    try end(
      try Spawning.start(
        ["env", "XDG_STATE_HOME=\(arena.state)", program, "push", "--json", "--compress", "off"]
          + arguments,
        output: log
      )
    )
  }

  private func end(_ pid: pid_t) throws(HarnessError) {
    let status = Spawning.wait(pid).status
    guard status == 0 else {
      throw HarnessError("\(program): \(MachineFile.lines(log).suffix(5).joined(separator: "\n"))")
    }
  }
}
