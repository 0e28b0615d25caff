/// A process as it can be told from all that came before it and will come after it.
package struct OwnerProcess: Equatable, Sendable {
  /// The random number that the host's kernel has for its time since it was started, as text.
  package var boot: String
  /// The namespace that the number is of: two containers may both have a process 1.
  package var namespace: UInt64
  package var number: Int32
  /// When the process began, in ticks since the host was started.
  package var started: UInt64

  package init(boot: String, namespace: UInt64, number: Int32, started: UInt64) {
    self.boot = boot
    self.namespace = namespace
    self.number = number
    self.started = started
  }

  /// Whether a process that sees `other` can tell whether this one still runs.
  package func isVisible(from other: OwnerProcess) -> Bool {
    !boot.isEmpty && boot == other.boot && namespace != 0 && namespace == other.namespace
  }
}

/// What an owner file says: who writes to the destination.
///
/// It is one line of text with a fixed length, so that one write replaces all of it: dtx-journal(5).
package struct OwnerRecord: Equatable, Sendable {
  package enum State: String, Sendable, CaseIterable {
    case running
    /// The peer is gone: what came is being made durable, and then it ends.
    case peerGone = "peer-gone"
    case released
  }

  /// A random number: no two owners have the same.
  package var claim: UInt64
  package var process: OwnerProcess
  /// The host's name for itself, printable and without spaces.
  package var host: String
  /// Nanoseconds since 1970.
  package var since: Int64
  /// Signs of life so far.
  package var beat: UInt64
  package var state: State

  package init(
    claim: UInt64,
    process: OwnerProcess,
    host: String,
    since: Int64,
    beat: UInt64 = 0,
    state: State = .running
  ) {
    self.claim = claim
    self.process = process
    self.host = host
    self.since = since
    self.beat = beat
    self.state = state
  }

  /// An owner file's name: `owner.` and its number.
  package static func name(_ number: UInt64) -> [UInt8] { namePrefix + Array("\(number)".utf8) }

  /// The number of an owner file; nil for any other name.
  package static func number(ofName name: [UInt8]) -> UInt64? {
    guard name.starts(with: namePrefix) else { return nil }
    let text = String(decoding: name.dropFirst(namePrefix.count), as: UTF8.self)
    // One number has one name, and there is always a next one.
    guard let number = UInt64(text), "\(number)" == text, number < maximumNumber else {
      return nil
    }
    return number
  }

  /// What no number reaches: more than any destination has owners, and far from the end of 64 bits.
  package static let maximumNumber: UInt64 = 1 << 62

  private static let namePrefix = Array("owner.".utf8)

  /// The length of every line, with the spaces that fill it and its end.
  package static let lineByteCount = 512

  /// What a person wants to know of it.
  package var summary: String {
    "pid=\(process.number) host=\(host) since=\(since) state=\(state.rawValue)"
  }

  /// The file's bytes.
  package var line: [UInt8] {
    let text =
      "\(summary) claim=\(claim) boot=\(process.boot) namespace=\(process.namespace) "
      + "started=\(process.started) beat=\(beat)"
    var bytes = Array(text.utf8)
    precondition(bytes.count < OwnerRecord.lineByteCount, "an owner's line of \(bytes.count) bytes")
    bytes += Array(repeating: UInt8(ascii: " "), count: OwnerRecord.lineByteCount - 1 - bytes.count)
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  /// Reads a file's bytes; nil where they are no whole line, as while it is being written.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == OwnerRecord.lineByteCount, bytes.last == UInt8(ascii: "\n") else {
      return nil
    }
    let names = [
      "pid", "host", "since", "state", "claim", "boot", "namespace", "started", "beat",
    ]
    let fields = bytes.dropLast().split(separator: UInt8(ascii: " ")).map {
      String(decoding: $0, as: UTF8.self)
    }
    guard fields.count == names.count else { return nil }
    var values: [Substring] = []
    for (name, field) in zip(names, fields) {
      guard field.hasPrefix("\(name)=") else { return nil }
      values.append(field.dropFirst(name.count + 1))
    }
    guard let number = Int32(values[0]), let since = Int64(values[2]),
      let state = State(rawValue: String(values[3])), let claim = UInt64(values[4]),
      let namespace = UInt64(values[6]), let started = UInt64(values[7]),
      let beat = UInt64(values[8])
    else { return nil }
    self.claim = claim
    process = OwnerProcess(
      boot: String(values[5]),
      namespace: namespace,
      number: number,
      started: started
    )
    host = String(values[1])
    self.since = since
    self.beat = beat
    self.state = state
  }
}
