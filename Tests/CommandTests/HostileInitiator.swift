import DTXCore
import DTXEngine
import DTXLinux
import Glibc
import Testing

/// A sender that speaks the protocol by hand, to a real `dtx serve --stdio`.
final class HostileInitiator {
  let channel: ControlChannel
  private let child: Child
  private let place: Workplace
  private let secret: SessionSecret
  private let sessionID = [UInt8](repeating: 7, count: 16)
  private(set) var port: UInt16 = 0
  /// What the server had resident at most, as last seen.
  private(set) var peakByteCount: UInt64 = 0

  /// Starts the server and greets it.
  init(in place: Workplace) throws {
    // As Signals.blockAll does: a server that has gone raises it.
    signal(SIGPIPE, SIG_IGN)
    self.place = place
    secret = SessionSecret()
    try place.write("serve-messages", "")
    let messages = try File.open(bytes(place("serve-messages")), .append)
    let (child, stream) = try Child.spawnConnected(
      [
        "env", "XDG_CONFIG_HOME=\(place("config"))", "XDG_STATE_HOME=\(place("state"))",
        Site.builtProgram(), "serve", "--stdio", "--loopback",
      ].map(bytes),
      standardError: messages.raw
    )
    self.child = child
    channel = try ControlChannel(stream)
    channel.send(Hello(implementation: "dtx 0.0.0"))
    _ = try channel.receiveHello(isAwaited: false)
  }

  /// Goes through the handshake of a push of a directory's contents.
  ///
  /// - Parameters:
  ///   - destination: where to, at the server.
  ///   - usesControlChannel: whether the lane goes through it.
  /// - Throws: when the server does not take it.
  func settle(at destination: String, usesControlChannel: Bool = false) throws {
    try channel.sendStep(RequestCodec.encode(request(.push, destination)))
    port = try HandshakeCodec.acceptance(try channel.receiveStep()).port
    let shape = DatasetShape(isContents: true, names: [], isSingleFile: false)
    try channel.sendStep(HandshakeCodec.encode(shape))
    _ = try HandshakeCodec.destinationReply(try channel.receiveStep())
    let lane = Lane(contract: .bestEffort, rate: nil, connectionCount: 1)
    let settlement = LaneSettlement(
      usesControlChannel: usesControlChannel,
      inputs: PlanInputs(lanes: [lane])
    )
    try channel.sendStep(HandshakeCodec.encode(settlement))
  }

  /// Asks for a transfer and settles its lanes.
  ///
  /// - Parameters:
  ///   - request: of a directory's contents, where it is a pull.
  ///   - lanes: how they are said to run.
  /// - Returns: why the server does not take them; nil where it does.
  /// - Throws: when the server does not come so far.
  func refusal(of request: Request, settling lanes: LaneSettlement) throws -> TransferError? {
    try channel.sendStep(RequestCodec.encode(request))
    do {
      _ = try channel.receiveStep()
      let shape = DatasetShape(isContents: true, names: [], isSingleFile: false)
      if request.direction == .push {
        try channel.sendStep(HandshakeCodec.encode(shape))
        _ = try channel.receiveStep()
      } else {
        _ = try channel.receiveStep()
        try channel.sendStep(HandshakeCodec.encode(DestinationReply(singleFileName: nil)))
      }
      try channel.sendStep(HandshakeCodec.encode(lanes))
      // What follows the handshake is no step of it.
      guard let (kind, frame) = try channel.receive(), kind == .handshake,
        case .refused(_, let text) = try HandshakeCodec.step(frame)
      else { return nil }
      return TransferError(.refused, text)
    } catch let error as TransferError {
      return error
    }
  }

  /// A request as others are made from, with one lane of which nothing is said.
  func request(_ direction: Direction, _ path: String) -> Request {
    var request = Request(
      direction: direction,
      paths: [bytes(path)],
      options: TransferOptions(),
      secret: secret.withUnsafeBytes { Array($0) },
      sessionID: sessionID,
      ports: 0...0,
      cipher: .none,
      lanesHaveAddresses: false,
      lanes: [LaneSettings()],
      doorway: nil
    )
    request.options.blockByteCount = Limits.minimumBlockByteCount
    return request
  }

  /// Announces a last segment, and agrees on its plan, to the moment when blocks may come.
  func open(_ inventory: Inventory) throws {
    try #require(try propose(inventory), "the receiver did not agree: \(stopText ?? "no stop")")
  }

  /// Announces a last segment, and its plan.
  ///
  /// - Parameters:
  ///   - inventory: the segment's entries.
  ///   - number: what is said to be the plan's generation; the right one is 0.
  /// - Returns: whether the receiver agrees.
  /// - Throws: when it says what no receiver can say.
  func propose(_ inventory: Inventory, generation number: UInt32 = 0) throws -> Bool {
    announce(inventory, isLast: true)
    let segment = Segment(
      index: 0,
      isLast: true,
      inventory: inventory,
      blockByteCount: Limits.minimumBlockByteCount
    )
    _ = try message { if case .comparisonEnd = $0 { true } else { false } }
    let lane = Lane(contract: .bestEffort, rate: nil, connectionCount: 1)
    let inputs = PlanInputs(lanes: [lane])
    let plan = Scheduler.plan(
      segment,
      wanted: BitSet(count: segment.extents.count, filled: true),
      inputs: inputs,
      generation: Generation(inputs)
    )
    channel.send(.plan(segment: 0, generation: number, digest: plan.digest(with: inputs)))
    return try message { if case .planned = $0 { true } else { false } } != nil
  }

  /// Announces the entries of a segment.
  func announce(_ inventory: Inventory, segment: Int = 0, isLast: Bool) {
    var page = ByteWriter()
    for index in inventory.entries.indices {
      EntryCodec.encode(index, of: inventory, for: .transfer, into: &page)
    }
    channel.send(.inventory(segment: segment, page: page.bytes))
    channel.send(.inventoryEnd(segment: segment, isLast: isLast))
  }

  /// Agrees on the roots, whatever they are, to the moment when the receiver has said its last.
  func seal() throws {
    let sealed = try message { if case .sealed = $0 { true } else { false } }
    channel.send(try #require(sealed, "\(stopText ?? "no stop")"))
    let end = try message { if case .finished = $0 { true } else { false } }
    try #require(end != nil, "\(stopText ?? "no stop")")
  }

  /// A proven connection of the lane.
  func lane(_ number: UInt32 = 1) throws -> OpenedLane {
    let dialer = LaneDialer(
      hosts: ["127.0.0.1"],
      port: port,
      secret: secret,
      sessionID: sessionID,
      cipher: .none
    )
    return try dialer.dial(LaneIdentity(lane: 0, number: number))
  }

  /// What the server said when it stopped.
  private(set) var stopText: String?

  /// Reads messages until one is as wanted, or the end.
  func message(where isWanted: (Message) -> Bool) throws -> Message? {
    look()
    while let (kind, frame) = try? channel.receive() {
      guard kind == .message else { continue }
      let message = try MessageCodec.decode(frame)
      look()
      if case .stop(_, let text) = message { stopText = text }
      if isWanted(message) { return message }
    }
    return nil
  }

  /// Notes how much memory the server takes.
  func look() {
    guard let status = try? File.open(bytes("/proc/\(child.processID)/status"), .read),
      let content = try? status.read(byteCount: 8192, at: 0)
    else { return }
    for line in String(decoding: content, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix("VmHWM:") {
      let words = line.split(whereSeparator: \.isWhitespace)
      if words.count > 1, let kibibytes = UInt64(words[1]) {
        peakByteCount = max(peakByteCount, kibibytes << 10)
      }
    }
  }

  /// Hangs up, and waits for the server's end.
  ///
  /// - Returns: its exit status, 128 and the signal's number where one ended it, and what it said.
  func finish() throws -> (status: Int32, messages: String) {
    look()
    channel.close()
    let status =
      switch try child.wait() {
      case .exited(let code): code
      case .signalled(let signal): 128 + signal
      }
    return (status, try place.text("serve-messages"))
  }
}

extension OpenedLane {
  /// Sends a record of any type with any payload.
  func send(_ type: RecordType, _ payload: [UInt8]) throws {
    var record = [UInt8](repeating: 0, count: payload.count + 256)
    for (index, byte) in payload.enumerated() {
      record[RecordSealer.headerByteCount + index] = byte
    }
    let count = record.withUnsafeMutableBytes { buffer in
      sealer.seal(type, payloadByteCount: payload.count, in: buffer)
    }
    try socket.sendAll(Array(record.prefix(count)))
  }
}

/// A dataset for a sender that is played by hand: a directory with one file of three blocks.
enum ThreeBlocks {
  private static let byteCounts = [64 << 10, 64 << 10, 32 << 10]

  /// The directory alone.
  static func directory() -> Inventory {
    var inventory = Inventory()
    inventory.append(entry(.directory, in: nil, 0), name: [])
    return inventory
  }

  static func inventory() -> Inventory {
    var inventory = directory()
    inventory.append(entry(.regular, in: 0, 160 << 10), name: bytes("file"))
    return inventory
  }

  private static func entry(_ kind: EntryKind, in parent: Int?, _ byteCount: UInt64) -> Entry {
    Entry(kind: kind, parent: parent, mode: 0o755, modified: 0, byteCount: byteCount)
  }

  /// Sends a block whole, all of it the same byte.
  static func send(_ number: Int, of content: UInt8, over lane: OpenedLane) throws {
    let data = [UInt8](repeating: content, count: byteCounts[number])
    let block = BlockReference(segment: 0, block: number)
    try lane.send(.blockHeader, BlockFrame.encodeHeader(block))
    try lane.send(.data, data)
    try lane.send(.trailer, BlockFrame.encodeTrailer([.intact(Digest.xxh3(of: data))]))
  }
}
