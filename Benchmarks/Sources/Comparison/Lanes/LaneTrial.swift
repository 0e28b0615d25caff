internal import Foundation
internal import Glibc

/// One transfer over lanes with rates, what each of them put on the wire, and what was predicted.
package struct LaneTrial {
  /// Of each lane, in bits per second: what was asked for, and what was on the wire.
  package let asked: [Double]
  package let measured: [Double]
  /// Seconds that the plan said, and that it took.
  package let predicted: Double
  package let took: Double
  package let offPlanBlockCount: Int
  package let generation: Int
  package let limitedBy: String

  /// How long after the beginning, and before the end, nothing is measured.
  private static let marginSeconds = 3

  /// Runs one, as root.
  ///
  /// - Parameters:
  ///   - megabits: the rate of each lane, in Mb/s.
  ///   - seconds: how long it shall take, more than 6.
  ///   - program: dtx.
  ///   - arena: a place for what is written meanwhile.
  /// - Returns: what was seen.
  /// - Throws: when the network cannot be made, or the program fails.
  package static func run(
    megabits: [Int],
    seconds: Int,
    program: String,
    in arena: Arena
  ) throws(HarnessError) -> LaneTrial {
    let network = try LaneNetwork(laneCount: megabits.count, in: arena)
    let byteCount = megabits.reduce(0, +) * 125_000 * seconds
    var arguments = network.onNear
    arguments += [
      "XDG_STATE_HOME=\(arena.state)", program, "push", "--json", "--compress", "off",
      "--rsh", try network.remoteShell(), "--dtx-path", program,
      "--source-null", "\(byteCount)", "--sink-null",
    ]
    for (lane, megabits) in megabits.enumerated() {
      let ends = "bind=\(LaneNetwork.source(lane)),to=\(LaneNetwork.target(lane))"
      arguments += ["--lane", "rate=\(megabits)M,reserved,\(ends)"]
    }
    let log = "\(arena.state)/lanes-log"
    unlink(log)
    let pid = try Spawning.start(arguments + ["far:nowhere"], output: log)
    sleep(UInt32(marginSeconds))
    let first = try network.wireByteCounts()
    sleep(UInt32(seconds - 2 * marginSeconds))
    let last = try network.wireByteCounts()
    let status = Spawning.wait(pid).status
    let lines = MachineFile.lines(log)
    guard status == 0, let summary = lines.last, let data = summary.data(using: .utf8),
      let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    else { throw HarnessError("\(program): \(lines.suffix(5).joined(separator: "\n"))") }
    let elapsed = Double(last.nanoseconds - first.nanoseconds) / 1e9
    let causes = (object["limited_by"] as? [[String: Any]] ?? []).compactMap {
      $0["cause"] as? String
    }
    return LaneTrial(
      asked: megabits.map { Double($0) * 1e6 },
      measured: zip(first.lanes, last.lanes).map { Double($1 - $0) * 8 / elapsed },
      predicted: object["predicted_seconds"] as? Double ?? .nan,
      took: object["seconds"] as? Double ?? .nan,
      offPlanBlockCount: object["blocks_off_plan"] as? Int ?? 0,
      generation: object["plan_generation"] as? Int ?? 0,
      limitedBy: causes.first ?? "-"
    )
  }
}
