import DTXCore
import DTXEngine
import DTXLinux
import Glibc
import Testing

/// A far end that a test plays itself: what it says is what the test makes it say.
///
/// The command takes it for its remote shell; two fifos lead here.
final class FakeFarEnd {
  let channel: ControlChannel
  private let place: Workplace
  private let run: Run
  /// Keeps the fifo that is read from from ending before it has begun.
  private var keeper: File?

  /// Starts a pull from this far end.
  convenience init(
    pulling source: String,
    to destination: String,
    options: [String] = [],
    in place: Workplace
  ) throws {
    try self.init(["pull"] + options, ["host:\(source)", destination], in: place)
  }

  /// Starts a push to this far end.
  convenience init(pushing source: String, in place: Workplace) throws {
    try self.init(["push"], [source, "host:/to"], in: place)
  }

  private init(_ command: [String], _ places: [String], in place: Workplace) throws {
    self.place = place
    for name in ["to-near", "from-near"] {
      try #require(mkfifo(place(name), 0o600) == 0)
    }
    try place.write(
      "shell",
      "#!/bin/sh\ncat '\(place("to-near"))' &\nexec cat > '\(place("from-near"))'\n",
      mode: 0o755
    )
    // Opened for both directions, a fifo waits for nobody.
    let writing = try File.open(bytes(place("to-near")), .readWrite)
    keeper = try File.open(bytes(place("from-near")), .readWrite)
    let reading = try File.open(bytes(place("from-near")), .read)
    channel = try ControlChannel(
      ByteStream(
        reading: Descriptor.duplicate(of: reading.raw),
        writing: Descriptor.duplicate(of: writing.raw)
      )
    )
    run = try Run(
      [
        "env", "XDG_STATE_HOME=\(place("near-state"))",
        "XDG_CONFIG_HOME=\(place("near-config"))", Site.builtProgram(),
      ] + command + ["--json", "--rsh", place("shell")] + places,
      in: place
    )
  }

  /// The program's process.
  var process: Int32 { run.child.processID }

  /// Greets, reads the request and offers a dataset; no lane can be opened here.
  func offer(_ shape: DatasetShape) throws -> Request {
    channel.send(Hello(implementation: "dtx 0.0.0"))
    _ = try channel.receiveHello(isAwaited: true)
    keeper = nil
    let request = try RequestCodec.decode(try channel.receiveStep())
    // The discard port, which nobody serves.
    try channel.sendStep(HandshakeCodec.encode(Acceptance(port: 9, addresses: ["127.0.0.1"])))
    try channel.sendStep(HandshakeCodec.encode(shape))
    return request
  }

  /// Greets, reads the request of a push, and takes what is offered; no lane can be opened here.
  ///
  /// - Parameter reply: what this end says of its destination.
  /// - Throws: when the near end breaks off.
  func take(_ reply: DestinationReply = DestinationReply(singleFileName: nil)) throws {
    channel.send(Hello(implementation: "dtx 0.0.0"))
    _ = try channel.receiveHello(isAwaited: true)
    keeper = nil
    _ = try RequestCodec.decode(try channel.receiveStep())
    try channel.sendStep(HandshakeCodec.encode(Acceptance(port: 9, addresses: ["127.0.0.1"])))
    _ = try HandshakeCodec.shape(try channel.receiveStep())
    try channel.sendStep(HandshakeCodec.encode(reply))
  }

  /// Sends the only segment of a dataset, whatever its entries are.
  func send(_ inventory: Inventory) {
    var page = ByteWriter(reservingCapacity: 4096)
    for index in inventory.entries.indices {
      EntryCodec.encode(index, of: inventory, for: .transfer, into: &page)
    }
    channel.send(.inventory(segment: 0, page: page.bytes))
    channel.send(.inventoryEnd(segment: 0, isLast: true))
  }

  /// Reads messages until one is as wanted; nil at the end of them.
  func message(where isWanted: (Message) -> Bool) throws -> Message? {
    while let (kind, frame) = try channel.receive() {
      guard kind == .message else { continue }
      let message = try MessageCodec.decode(frame)
      if isWanted(message) { return message }
    }
    return nil
  }

  /// Hangs up, and waits for the command.
  func hangUp() throws -> Run.Ending {
    channel.close()
    return try run.finish()
  }
}
