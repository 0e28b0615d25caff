internal import Foundation
internal import Glibc

/// Two machines in network namespaces with one way between them, which counts what each of the
/// near one's lanes puts on it.
///
/// Lane `i` goes from 10.78.0.(10+i) to 10.78.0.(110+i), over Ethernet frames of 9000 bytes. All of
/// it goes when the owner lets go of it.
final class LaneNetwork {
  /// What a frame takes on the wire beside what the kernel counts: preamble, check sequence and gap
  /// (IEEE 802.3).
  private static let uncountedByteCount = 24

  let laneCount: Int
  private let arena: Arena
  private let near: String
  private let far: String
  private var commandCount = 0

  /// Makes the network.
  ///
  /// - Parameters:
  ///   - laneCount: at most 90.
  ///   - arena: takes what the commands print.
  /// - Throws: where one fails: it takes root, ip, tc and nsenter.
  init(laneCount: Int, in arena: Arena) throws(HarnessError) {
    precondition(laneCount <= 90, "addresses are written in one byte")
    self.laneCount = laneCount
    self.arena = arena
    near = "dtx-near-\(getpid())"
    far = "dtx-far-\(getpid())"
    for name in [near, far] { try shell("ip netns add \(name)") }
    try shell(
      "ip link add n0 netns \(near) mtu 9000 type veth peer name f0 netns \(far) mtu 9000"
    )
    for lane in 0..<laneCount {
      try shell("ip -n \(near) address add \(LaneNetwork.source(lane))/24 dev n0")
      try shell("ip -n \(far) address add \(LaneNetwork.target(lane))/24 dev f0")
    }
    for (name, device) in [(near, "n0"), (far, "f0")] {
      try shell("ip -n \(name) link set dev lo up; ip -n \(name) link set dev \(device) up")
    }
    try counting()
  }

  deinit {
    for name in [near, far] { _ = try? shell("ip netns delete \(name)") }
  }

  static func source(_ lane: Int) -> String { "10.78.0.\(10 + lane)" }
  static func target(_ lane: Int) -> String { "10.78.0.\(110 + lane)" }

  /// Words before a program that run it on the near machine.
  var onNear: [String] { ["nsenter", "--net=/run/netns/\(near)", "env", "-u", "SSH_CONNECTION"] }

  /// A script that runs a command on the far machine, as a remote shell would.
  func remoteShell() throws(HarnessError) -> String {
    let path = try arena.stateFile(
      "shell",
      "#!/bin/sh\nshift\nexec nsenter --net=/run/netns/\(far) sh -c \"$*\"\n"
    )
    chmod(path, 0o755)
    return path
  }

  /// Bytes that each lane has put on the wire so far, headers and gaps included, and when.
  func wireByteCounts() throws(HarnessError) -> (nanoseconds: UInt64, lanes: [Int]) {
    let before = Self.now()
    let text = try shell("\(tc) -s class show dev n0")
    let after = Self.now()
    var counts = [Int](repeating: 0, count: laneCount)
    for section in text.components(separatedBy: "class htb 1:").dropFirst() {
      let words = section.split(whereSeparator: \.isWhitespace)
      guard let name = words.first, let number = Int(name, radix: 16),
        let sent = words.firstIndex(of: "Sent"), words.count > sent + 3,
        let byteCount = Int(words[sent + 1]), let packetCount = Int(words[sent + 3])
      else { continue }
      let lane = number - 0x10
      guard counts.indices.contains(lane) else { continue }
      counts[lane] = byteCount + packetCount * Self.uncountedByteCount
    }
    return (before / 2 + after / 2, counts)
  }

  // MARK: - What the way does to a lane

  /// Gives a lane no more than this, behind a queue of 2 MiB.
  func limit(_ lane: Int, megabits: Int) throws(HarnessError) {
    let rate = "htb rate \(megabits)mbit burst 128k cburst 128k"
    try shell("\(tc) class change dev n0 parent 1: classid \(name(lane)) \(rate)")
    try shell("\(tc) qdisc replace dev n0 parent \(name(lane)) bfifo limit 2m")
  }

  /// Lets a lane share what another one has.
  func join(_ lane: Int, to other: Int) throws(HarnessError) {
    let match = "u32 match ip dst \(LaneNetwork.target(lane))/32"
    try shell(
      "\(tc) filter add dev n0 parent 1: prio 1 protocol ip \(match) flowid \(name(other))"
    )
  }

  /// Drops all that a lane sends, or no longer.
  func hold(_ lane: Int, _ isHeld: Bool) throws(HarnessError) {
    let queue = isHeld ? "blackhole" : "pfifo limit 1000"
    try shell("\(tc) qdisc replace dev n0 parent \(name(lane)) \(queue)")
  }

  private func name(_ lane: Int) -> String { "1:\(String(0x10 + lane, radix: 16))" }

  private var tc: String { "nsenter --net=/run/netns/\(near) tc" }

  private func counting() throws(HarnessError) {
    try shell("\(tc) qdisc add dev n0 root handle 1: htb default fff")
    try shell("\(tc) class add dev n0 parent 1: classid 1:fff htb rate 40gbit")
    for lane in 0..<laneCount {
      let name = String(0x10 + lane, radix: 16)
      let rate = "htb rate 40gbit burst 1m cburst 1m"
      try shell("\(tc) class add dev n0 parent 1: classid 1:\(name) \(rate)")
      let match = "u32 match ip dst \(LaneNetwork.target(lane))/32"
      try shell("\(tc) filter add dev n0 parent 1: protocol ip \(match) flowid 1:\(name)")
    }
  }

  /// Runs a line of shell; returns what it prints.
  @discardableResult
  private func shell(_ line: String) throws(HarnessError) -> String {
    commandCount += 1
    let log = "\(arena.state)/network-\(commandCount)"
    let pid = try Spawning.start(["sh", "-c", line], output: log)
    let status = Spawning.wait(pid).status
    let text = MachineFile.text(log)
    unlink(log)
    guard status == 0 else { throw HarnessError("\(line): \(text.trimmed)") }
    return text
  }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
