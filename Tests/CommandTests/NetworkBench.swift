import DTXLinux
import Glibc
import Testing

/// Network namespaces for two machines, with two ways between them through a third, which bridges.
///
/// All of it goes when the test lets go of it.
///
/// The near end is 10.77.0.1 and 10.77.1.1, the far end .2 of each. Bridges between small frames
/// drop large ones without a word, as a switch does.
final class NetworkBench {
  /// The near end, the middle and the far end.
  enum Part: String, CaseIterable {
    case near, middle, far
  }

  let place: Workplace
  private let program: String
  private let names: [Part: String]

  /// Why there can be no such network here; nil where it can be.
  static let obstacle: String? = {
    if Host.effectiveUserID != 0 { return "network namespaces are root's to make" }
    let tools =
      "command -v ip && command -v nsenter && ip netns add dtx-try && ip netns del dtx-try"
    let isThere = (try? Tool.run("sh", "-c", "{ \(tools); } >&2"))?.status == 0
    return isThere ? nil : "network namespaces cannot be made here with ip and nsenter"
  }()

  /// Makes the network; both ends, and its ways to them, take packets of 9000 bytes.
  ///
  /// - Parameter middleMTU: what the middle itself takes.
  /// - Throws: when it cannot be made.
  init(middleMTU: Int = 9000) throws {
    place = try Workplace()
    program = try Site.builtProgram()
    let number = getpid()
    names = Dictionary(
      uniqueKeysWithValues: Part.allCases.map { ($0, "dtx-\(number)-\($0.rawValue)") }
    )
    for part in Part.allCases { try Tool.shell("ip netns add \(name(part))") }
    for way in 0...1 {
      try Tool.shell(
        """
        ip link add n\(way) netns \(name(.near)) mtu 9000 type veth \
        peer name in\(way) netns \(name(.middle)) mtu 9000
        ip link add f\(way) netns \(name(.far)) mtu 9000 type veth \
        peer name out\(way) netns \(name(.middle)) mtu 9000
        ip -n \(name(.middle)) link add name left\(way) mtu \(middleMTU) type veth \
        peer name right\(way) mtu \(middleMTU)
        ip -n \(name(.middle)) link add name near\(way) type bridge
        ip -n \(name(.middle)) link add name far\(way) type bridge
        for device in in left; do
          ip -n \(name(.middle)) link set dev ${device}\(way) master near\(way) up || exit
        done
        for device in out right; do
          ip -n \(name(.middle)) link set dev ${device}\(way) master far\(way) up || exit
        done
        for device in near far; do ip -n \(name(.middle)) link set dev ${device}\(way) up || exit; done
        ip -n \(name(.near)) address add 10.77.\(way).1/24 dev n\(way)
        ip -n \(name(.far)) address add 10.77.\(way).2/24 dev f\(way)
        ip -n \(name(.near)) link set dev n\(way) up gso_max_segs 1
        ip -n \(name(.far)) link set dev f\(way) up gso_max_segs 1
        """
      )
    }
    for part in [Part.near, .far] { try Tool.shell("ip -n \(name(part)) link set dev lo up") }
    // Runs the far end's command there, as ssh would.
    try place.write(
      "shell",
      "#!/bin/sh\nshift\nexec nsenter --net=/run/netns/\(name(.far)) sh -c \"$*\"\n",
      mode: 0o755
    )
  }

  deinit {
    for part in Part.allCases { _ = try? Tool.run("ip", "netns", "delete", name(part)) }
  }

  /// Counts what the middle carries of each mark from now on; false where the kernel cannot.
  func countMarks(_ marks: [UInt8]) throws -> Bool {
    // tc takes the numbers of classes for hexadecimal ones, in all of these places.
    var script = "set -e\n"
    for device in ["in0", "in1", "out0", "out1"] {
      let tc = "nsenter --net=/run/netns/\(name(.middle)) tc"
      script += "\(tc) qdisc add dev \(device) root handle 1: htb default 99\n"
      for mark in marks + [99] {
        script += "\(tc) class add dev \(device) parent 1: classid 1:\(mark) htb rate 10gbit\n"
      }
      for mark in marks {
        script += "\(tc) filter add dev \(device) parent 1: protocol ip u32"
        script += " match ip tos \(mark << 2) 0xfc flowid 1:\(mark)\n"
      }
    }
    return try Tool.run("sh", "-c", "{ \(script)} >&2").status == 0
  }

  /// Bytes with a mark that left the middle by a device.
  func byteCount(of mark: UInt8, leavingBy device: String) throws -> UInt64 {
    let text = try Tool.shell(
      "nsenter --net=/run/netns/\(name(.middle)) tc -s class show dev \(device) classid 1:\(mark)"
    )
    let words = text.split(whereSeparator: \.isWhitespace)
    let index = try #require(words.firstIndex(of: "Sent"), "\(text)")
    return try #require(UInt64(words[index + 1]))
  }

  /// Lets a way carry nothing, without a word to either end, or opens it again.
  func open(_ way: Int, _ isOpen: Bool) throws {
    let state = isOpen ? "up" : "down"
    try Tool.shell("ip -n \(name(.middle)) link set dev left\(way) \(state)")
  }

  /// Puts a queue before a device of an end's.
  ///
  /// - Parameters:
  ///   - part: the end.
  ///   - commands: of tc(8), with `DEV` for the device of the first way.
  /// - Returns: false where the kernel cannot.
  /// - Throws: when there is no shell.
  func queue(_ part: Part, _ commands: String...) throws -> Bool {
    let device = part == .near ? "n0" : "f0"
    let tc = "nsenter --net=/run/netns/\(name(part)) tc"
    let script = commands.map { "\(tc) \($0.split(separator: "DEV").joined(separator: device))" }
    return try Tool.run("sh", "-c", "{ \(script.joined(separator: " && ")); } >&2").status == 0
  }

  /// Lets nobody connect to an end, as a firewall does; connections from there go on.
  func shut(_ part: Part) throws {
    // Packets with SYN and without ACK go into a queue that has no room.
    for way in 0...1 {
      let device = part == .near ? "in\(way)" : "out\(way)"
      let tc = "nsenter --net=/run/netns/\(name(.middle)) tc"
      try Tool.shell(
        """
        { \(tc) qdisc add dev \(device) root handle 1: htb default 99
        \(tc) class add dev \(device) parent 1: classid 1:1 htb rate 1mbit
        \(tc) class add dev \(device) parent 1: classid 1:99 htb rate 10gbit
        \(tc) qdisc add dev \(device) parent 1:1 pfifo limit 0
        \(tc) filter add dev \(device) parent 1: protocol ip u32 match ip protocol 6 0xff \
        match u8 0x02 0x12 at 33 flowid 1:1; } >&2
        """
      )
    }
  }

  /// Runs a transfer whose initiator is the near end.
  func run(_ command: String, _ arguments: [String]) throws -> Run.Ending {
    try start(command, arguments).finish()
  }

  /// Starts one.
  ///
  /// - Parameters:
  ///   - command: push or pull.
  ///   - arguments: behind those that lead to the far end.
  ///   - launcher: words before the program.
  /// - Returns: what runs.
  /// - Throws: when it cannot be started.
  func start(
    _ command: String,
    _ arguments: [String],
    launcher: [String] = []
  ) throws -> Run {
    let words = [
      "env", "-u", "SSH_CONNECTION", "XDG_STATE_HOME=\(place("state"))",
      "XDG_CONFIG_HOME=\(place("config"))", "nsenter",
      "--net=/run/netns/\(name(.near))",
    ]
    let program = [
      program, command, "--rsh", place("shell"), "--dtx-path", program, "--json",
    ]
    return try Run(words + launcher + program + arguments, in: place)
  }

  private func name(_ part: Part) -> String { names[part] ?? "" }
}
